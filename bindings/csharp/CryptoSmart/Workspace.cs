// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>
    /// A workspace and the cycle that runs on it: discover, ingest, train, predict, learn. Calls use the context that it was opened
    /// with, one at a time. Long calls take progress and a cancellation token, and have asynchronous forms that run on the thread pool.
    /// </summary>
    public sealed unsafe partial class Workspace : IDisposable
    {
        readonly csm_pipeline handle;

        /// <summary>Opens a workspace folder.</summary>
        /// <param name="context">Context of every call on it; it may be disposed at any time.</param>
        /// <param name="path">The folder.</param>
        /// <param name="config">Copied; null for the defaults.</param>
        /// <param name="mode">Reading sees what was committed when it was opened or refreshed; shared commits beside other processes.</param>
        /// <exception cref="CryptoSmartException">NotFound, Locked, ReadOnly, Corrupt or Unsupported.</exception>
        public Workspace(Context context, string path, Config config = null, StoreMode mode = StoreMode.Read)
        {
            Context = Wire.NotNull(context, nameof(context));
            Path = Wire.NotNull(path, nameof(path));
            Config own = config == null ? new Config() : null;
            try
            {
                using (context.Begin())
                    NativeMethods.csm_pipeline_open(out handle, context.Native, (config ?? own).Native, path, (uint)mode);
            }
            finally
            {
                own?.Dispose();
            }
            Store = new Store(this, NativeMethods.csm_pipeline_store(handle), handle);
            Ledger = new Ledger(this);
        }

        /// <summary>Closes it, once no call uses it any more.</summary>
        public void Dispose()
        {
            Store.Close();
            handle.Dispose();
        }

        /// <summary>Context of every call.</summary>
        public Context Context { get; }

        /// <summary>The folder.</summary>
        public string Path { get; }

        /// <summary>What was received and kept.</summary>
        public Store Store { get; }

        /// <summary>What was predicted, written before the outcome, and what came of it.</summary>
        public Ledger Ledger { get; }

        /// <summary>The low-level object, for <see cref="NativeMethods"/>.</summary>
        public csm_pipeline Native => handle;

        /// <summary>Sees what others have committed since it was opened.</summary>
        public void Refresh() => Store.Refresh();

        /// <summary>Markets that would be modelled.</summary>
        /// <param name="asOf">As known then; null: now.</param>
        public IReadOnlyList<Market> Universe(DateTimeOffset? asOf = null)
        {
            using (Context.Begin())
            {
                csm_market_list list;
                NativeMethods.csm_pipeline_universe(out list, handle, Wire.Nanoseconds(asOf, Wire.Unlimited));
                using (list) return Market.Read(list);
            }
        }

        /// <summary>Fetches the configured venue's listing and applies it.</summary>
        public Coverage Discover(IProgress<Progress> progress = null, CancellationToken cancellationToken = default(CancellationToken))
        {
            using (Context.Begin(progress, cancellationToken))
            {
                csm_discovery discovery;
                NativeMethods.csm_pipeline_discover(out discovery, handle);
                using (discovery) return new Coverage(discovery);
            }
        }

        /// <inheritdoc cref="Discover"/>
        public Task<Coverage> DiscoverAsync(IProgress<Progress> progress = null, CancellationToken cancellationToken = default(CancellationToken)) =>
            Task.Run(() => Discover(progress, cancellationToken), cancellationToken);

        /// <summary>Adopts a folder of listings and segments.</summary>
        public Coverage Adopt(string folder, IProgress<Progress> progress = null, CancellationToken cancellationToken = default(CancellationToken))
        {
            Wire.NotNull(folder, nameof(folder));
            using (Context.Begin(progress, cancellationToken))
            {
                csm_discovery discovery;
                NativeMethods.csm_pipeline_adopt(out discovery, handle, folder);
                using (discovery) return new Coverage(discovery);
            }
        }

        /// <summary>Runs the configured sources for the universe.</summary>
        public IReadOnlyList<IngestItem> Ingest(IProgress<Progress> progress = null,
                                                CancellationToken cancellationToken = default(CancellationToken))
        {
            using (Context.Begin(progress, cancellationToken))
            {
                csm_ingest_report report;
                NativeMethods.csm_pipeline_ingest(out report, handle);
                using (report) return IngestItem.Read(report);
            }
        }

        /// <inheritdoc cref="Ingest"/>
        public Task<IReadOnlyList<IngestItem>> IngestAsync(IProgress<Progress> progress = null,
                                                           CancellationToken cancellationToken = default(CancellationToken)) =>
            Task.Run(() => Ingest(progress, cancellationToken), cancellationToken);

        /// <summary>Trains every horizon and registers the model.</summary>
        /// <param name="asOf">On what was known then; null: now.</param>
        /// <param name="progress">Told on the calling thread.</param>
        /// <param name="cancellationToken">Ends the call with <see cref="OperationCanceledException"/>; nothing is registered then.</param>
        public Training Train(DateTimeOffset? asOf = null, IProgress<Progress> progress = null,
                              CancellationToken cancellationToken = default(CancellationToken))
        {
            using (Context.Begin(progress, cancellationToken))
            {
                csm_training training;
                NativeMethods.csm_pipeline_train(out training, handle, Wire.Nanoseconds(asOf, Wire.Unlimited));
                return new Training(training);
            }
        }

        /// <inheritdoc cref="Train"/>
        public Task<Training> TrainAsync(DateTimeOffset? asOf = null, IProgress<Progress> progress = null,
                                         CancellationToken cancellationToken = default(CancellationToken)) =>
            Task.Run(() => Train(asOf, progress, cancellationToken), cancellationToken);

        /// <summary>The model in force; null when nothing was trained.</summary>
        public Training Champion()
        {
            using (Context.Begin())
            {
                csm_training training;
                try
                {
                    NativeMethods.csm_pipeline_champion(out training, handle);
                }
                catch (CryptoSmartException error) when (error.Status == CryptoSmart.Status.NotFound)
                {
                    return null;
                }
                return new Training(training);
            }
        }

        /// <summary>Predicts, ranks, and writes the ledger unless <paramref name="dry"/>.</summary>
        /// <param name="asOf">As of that time; null: now.</param>
        /// <param name="dry">Writes nothing.</param>
        /// <param name="backfill">Marks a replayed past decision, which never counts toward the live clock.</param>
        /// <param name="progress">Told on the calling thread.</param>
        /// <param name="cancellationToken">Ends the call.</param>
        public Ranking Predict(DateTimeOffset? asOf = null, bool dry = false, bool backfill = false, IProgress<Progress> progress = null,
                               CancellationToken cancellationToken = default(CancellationToken))
        {
            csm_predict_options options;
            NativeMethods.csm_predict_options_init(&options);
            options.as_of = Wire.Nanoseconds(asOf, Wire.Unlimited);
            options.dry = dry ? 1u : 0u;
            options.backfill = backfill ? 1u : 0u;
            using (Context.Begin(progress, cancellationToken))
            {
                csm_ranking ranking;
                NativeMethods.csm_pipeline_predict(out ranking, handle, &options);
                using (ranking) return new Ranking(ranking);
            }
        }

        /// <inheritdoc cref="Predict"/>
        public Task<Ranking> PredictAsync(DateTimeOffset? asOf = null, bool dry = false, bool backfill = false, IProgress<Progress> progress = null,
                                          CancellationToken cancellationToken = default(CancellationToken)) =>
            Task.Run(() => Predict(asOf, dry, backfill, progress, cancellationToken), cancellationToken);

        /// <summary>Matures and scores the ledger.</summary>
        public Maturing Learn(IProgress<Progress> progress = null, CancellationToken cancellationToken = default(CancellationToken))
        {
            using (Context.Begin(progress, cancellationToken))
            {
                csm_maturing maturing;
                NativeMethods.csm_pipeline_learn(&maturing, handle);
                return new Maturing((long)maturing.matured, (long)maturing.unknown, (long)maturing.pending);
            }
        }

        /// <inheritdoc cref="Learn"/>
        public Task<Maturing> LearnAsync(IProgress<Progress> progress = null, CancellationToken cancellationToken = default(CancellationToken)) =>
            Task.Run(() => Learn(progress, cancellationToken), cancellationToken);

        /// <summary>Why a coin's forecast is what it is. Writes nothing.</summary>
        /// <param name="market">Market id such as "kraken:BTC/USD", or a coin such as "BTC".</param>
        /// <param name="horizon">Null: the gate's.</param>
        /// <param name="asOf">Null: now.</param>
        /// <param name="cancellationToken">Ends the call.</param>
        public Explanation Explain(string market, TimeSpan? horizon = null, DateTimeOffset? asOf = null,
                                   CancellationToken cancellationToken = default(CancellationToken))
        {
            Wire.NotNull(market, nameof(market));
            using (Context.Begin(null, cancellationToken))
            {
                csm_explanation explanation;
                NativeMethods.csm_pipeline_explain(out explanation, handle, market, horizon.HasValue ? Wire.Nanoseconds(horizon.Value) : 0,
                                                   Wire.Nanoseconds(asOf, Wire.Unlimited));
                using (explanation) return new Explanation(explanation);
            }
        }

        /// <inheritdoc cref="Explain"/>
        public Task<Explanation> ExplainAsync(string market, TimeSpan? horizon = null, DateTimeOffset? asOf = null,
                                              CancellationToken cancellationToken = default(CancellationToken)) =>
            Task.Run(() => Explain(market, horizon, asOf, cancellationToken), cancellationToken);

        /// <summary>Complete feature rows of the universe, decisions in [from, to).</summary>
        public Frame Fuse(DateTimeOffset from, DateTimeOffset to, DateTimeOffset? asOf = null, IProgress<Progress> progress = null,
                          CancellationToken cancellationToken = default(CancellationToken))
        {
            using (Context.Begin(progress, cancellationToken))
            {
                csm_frame frame;
                NativeMethods.csm_pipeline_fuse(out frame, handle, Wire.Nanoseconds(from), Wire.Nanoseconds(to),
                                                Wire.Nanoseconds(asOf, Wire.Unlimited));
                return new Frame(frame);
            }
        }

        /// <summary>Makes a model champion; without <paramref name="force"/> only one that the ledger's evidence supports.</summary>
        public void Promote(string model, bool force = false)
        {
            Wire.NotNull(model, nameof(model));
            using (Context.Begin()) NativeMethods.csm_pipeline_promote(handle, model, force ? 1u : 0u);
        }

        /// <summary>Brings the champion before back.</summary>
        public void Rollback()
        {
            using (Context.Begin()) NativeMethods.csm_pipeline_rollback(handle);
        }
    }
}
