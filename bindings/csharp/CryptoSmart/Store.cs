// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Threading;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>One series of records of a store.</summary>
    public sealed class StreamInfo
    {
        /// <summary>Kind: "bars", "trades", "ticker", "book", "value".</summary>
        public string Kind { get; internal set; }

        /// <summary>Venue, such as "kraken".</summary>
        public string Venue { get; internal set; }

        /// <summary>Symbol, such as "BTC/USD", or a series' name.</summary>
        public string Symbol { get; internal set; }

        /// <summary>Interval of bars; zero where none applies.</summary>
        public TimeSpan Interval { get; internal set; }

        /// <summary>Listing epoch.</summary>
        public int Epoch { get; internal set; }

        /// <summary>Records, revisions included.</summary>
        public long Rows { get; internal set; }

        /// <summary>First event.</summary>
        public DateTimeOffset? First { get; internal set; }

        /// <summary>Last event.</summary>
        public DateTimeOffset? Last { get; internal set; }

        /// <summary>Source of the newest record.</summary>
        public string Source { get; internal set; }
    }

    /// <summary>
    /// Bars as spans over the library's own memory, ascending in time. The spans are valid until it is disposed; keep it in a
    /// using block around their use.
    /// </summary>
    public sealed unsafe class Bars : IDisposable
    {
        readonly csm_bar_series handle;
        readonly csm_bars view;

        internal Bars(csm_bar_series series)
        {
            handle = series;
            view = NativeMethods.csm_bar_series_view(series);
        }

        /// <summary>Frees the memory under the spans.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>Number of bars.</summary>
        public int Count => (int)view.length;

        /// <summary>Length of a bar.</summary>
        public TimeSpan Interval => Wire.Span(view.interval);

        /// <summary>Open of each bar, nanoseconds since 1970 UTC.</summary>
        public ReadOnlySpan<long> Time => new ReadOnlySpan<long>(Alive(view.time), Count);

        /// <summary>First price, quote currency; NaN where nothing traded.</summary>
        public ReadOnlySpan<double> Open => new ReadOnlySpan<double>(Alive(view.open), Count);

        /// <summary>Highest price.</summary>
        public ReadOnlySpan<double> High => new ReadOnlySpan<double>(Alive(view.high), Count);

        /// <summary>Lowest price.</summary>
        public ReadOnlySpan<double> Low => new ReadOnlySpan<double>(Alive(view.low), Count);

        /// <summary>Last price.</summary>
        public ReadOnlySpan<double> Close => new ReadOnlySpan<double>(Alive(view.close), Count);

        /// <summary>Volume, base units.</summary>
        public ReadOnlySpan<double> Volume => new ReadOnlySpan<double>(Alive(view.volume), Count);

        /// <summary>What is known of each bar: <see cref="BarState"/>.</summary>
        public ReadOnlySpan<byte> State => view.state == null ? default(ReadOnlySpan<byte>) : new ReadOnlySpan<byte>(Alive(view.state), Count);

        void* Alive(void* memory)
        {
            if (handle.IsClosed) throw new ObjectDisposedException(nameof(Bars));
            return memory;
        }
    }

    /// <summary>What was received and kept, as of any time.</summary>
    public sealed unsafe class Store
    {
        readonly Workspace workspace;
        readonly csm_store handle = new csm_store();

        internal Store(Workspace workspace, IntPtr store, csm_pipeline owner)
        {
            this.workspace = workspace;
            handle.Borrow(store, owner);
        }

        /// <summary>The low-level object, for <see cref="NativeMethods"/>; closed with its workspace.</summary>
        public csm_store Native => handle;

        internal void Close() => handle.Dispose();

        /// <summary>Sees what others have committed since it was opened.</summary>
        public void Refresh()
        {
            using (workspace.Context.Begin()) NativeMethods.csm_store_refresh(handle);
        }

        /// <summary>Full check: every hash and every row.</summary>
        /// <returns>Number of faults; 0: none.</returns>
        public long Verify(CancellationToken cancellationToken = default(CancellationToken))
        {
            ulong findings;
            using (workspace.Context.Begin(null, cancellationToken)) NativeMethods.csm_store_verify(&findings, handle, workspace.Context.Native);
            return (long)findings;
        }

        /// <summary>One generation of the workspace in an empty or absent folder, while others work on.</summary>
        public void Backup(string folder, IProgress<Progress> progress = null, CancellationToken cancellationToken = default(CancellationToken))
        {
            Wire.NotNull(folder, nameof(folder));
            using (workspace.Context.Begin(progress, cancellationToken)) NativeMethods.csm_store_backup(handle, workspace.Context.Native, folder);
        }

        /// <summary>Copies a backup into an empty or absent folder, every hash compared.</summary>
        public static void Restore(Context context, string backup, string folder, IProgress<Progress> progress = null,
                                   CancellationToken cancellationToken = default(CancellationToken))
        {
            Wire.NotNull(backup, nameof(backup));
            Wire.NotNull(folder, nameof(folder));
            using (Wire.NotNull(context, nameof(context)).Begin(progress, cancellationToken))
                NativeMethods.csm_store_restore(context.Native, backup, folder);
        }

        /// <summary>What is there, sorted by kind, venue, symbol, epoch, interval.</summary>
        /// <param name="kind">Null: all.</param>
        /// <param name="venue">Null: all.</param>
        public IReadOnlyList<StreamInfo> Streams(string kind = null, string venue = null)
        {
            var streams = new List<StreamInfo>();
            using (workspace.Context.Begin())
            {
                csm_stream_list list;
                NativeMethods.csm_store_streams(out list, handle, kind, venue);
                using (list)
                {
                    for (long i = 0; i < NativeMethods.csm_stream_list_count(list); i++)
                    {
                        csm_stream_info* row = NativeMethods.csm_stream_list_at(list, i);
                        streams.Add(new StreamInfo
                        {
                            Kind = Wire.Text(row->stream.kind), Venue = Wire.Text(row->stream.venue), Symbol = Wire.Text(row->stream.symbol),
                            Interval = Wire.Span(row->stream.interval), Epoch = row->stream.epoch, Rows = (long)row->rows,
                            First = Wire.TimeOrNull(row->first), Last = Wire.TimeOrNull(row->last), Source = Wire.Text(row->source),
                        });
                    }
                }
            }
            return streams;
        }

        /// <summary>Bars of a market with from &lt;= open &lt; to that were available then.</summary>
        /// <param name="venue">Such as "kraken".</param>
        /// <param name="symbol">Such as "BTC/USD".</param>
        /// <param name="interval">Length of a bar.</param>
        /// <param name="from">Null: from the beginning.</param>
        /// <param name="to">Null: to the end.</param>
        /// <param name="asOf">Null: now.</param>
        /// <param name="epoch">Listing epoch.</param>
        public Bars ReadBars(string venue, string symbol, TimeSpan interval, DateTimeOffset? from = null, DateTimeOffset? to = null,
                             DateTimeOffset? asOf = null, int epoch = 1)
        {
            fixed (byte* kind = Wire.Utf8("bars"), venueText = Wire.Utf8(Wire.NotNull(venue, nameof(venue))),
                   symbolText = Wire.Utf8(Wire.NotNull(symbol, nameof(symbol))))
            {
                var stream = new csm_stream { kind = kind, venue = venueText, symbol = symbolText, interval = Wire.Nanoseconds(interval), epoch = epoch };
                using (workspace.Context.Begin())
                {
                    csm_bar_series series;
                    NativeMethods.csm_store_read_bars(out series, handle, workspace.Context.Native, &stream, Wire.Nanoseconds(from, Wire.Unknown),
                                                      Wire.Nanoseconds(to, Wire.Unlimited), Wire.Nanoseconds(asOf, Wire.Unlimited));
                    return new Bars(series);
                }
            }
        }
    }
}
