// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Threading;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>One forecast of the ledger with its outcome.</summary>
    public sealed unsafe class LedgerEntry
    {
        internal static LedgerEntry From(csm_ledger_entry* row) => new LedgerEntry
        {
            Row = row->row, Market = Wire.Text(row->market), Coin = Wire.Text(row->coin), Epoch = row->epoch, Written = Wire.Time(row->written),
            Decision = Wire.Time(row->decision), Horizon = Wire.Span(row->horizon), Probability = row->probability, Lower = row->lower,
            ExpectedReturn = row->expected_return, Low = row->low, High = row->high, Cost = row->cost, Show = (Reasons)row->show,
            Trade = (Reasons)row->trade, Evidence = (EvidenceStatus)row->evidence, State = (TargetState)row->state, Rises = row->rises != 0,
            Backfill = row->backfill != 0, LogReturn = row->log_return, Verdict = row->verdict,
        };

        /// <summary>Row of the ledger.</summary>
        public long Row { get; private set; }

        /// <summary>Market id.</summary>
        public string Market { get; private set; }

        /// <summary>Coin.</summary>
        public string Coin { get; private set; }

        /// <summary>Listing epoch of the market.</summary>
        public int Epoch { get; private set; }

        /// <summary>When it was written.</summary>
        public DateTimeOffset Written { get; private set; }

        /// <summary>Time of the decision.</summary>
        public DateTimeOffset Decision { get; private set; }

        /// <summary>Its horizon.</summary>
        public TimeSpan Horizon { get; private set; }

        /// <summary>Calibrated probability of a rise above the cost.</summary>
        public double Probability { get; private set; }

        /// <summary>Lower bound for the precision of such predictions.</summary>
        public double Lower { get; private set; }

        /// <summary>Expected log return.</summary>
        public double ExpectedReturn { get; private set; }

        /// <summary>Lower end of the interval.</summary>
        public double Low { get; private set; }

        /// <summary>Upper end of the interval.</summary>
        public double High { get; private set; }

        /// <summary>Round-trip cost, log.</summary>
        public double Cost { get; private set; }

        /// <summary>Reasons against showing it.</summary>
        public Reasons Show { get; private set; }

        /// <summary>Further reasons against a trade.</summary>
        public Reasons Trade { get; private set; }

        /// <summary>Evidence in force then.</summary>
        public EvidenceStatus Evidence { get; private set; }

        /// <summary>Whether the outcome is known.</summary>
        public TargetState State { get; private set; }

        /// <summary>Whether it rose above its cost.</summary>
        public bool Rises { get; private set; }

        /// <summary>Whether it is a replayed past decision.</summary>
        public bool Backfill { get; private set; }

        /// <summary>What happened, log return; NaN unless known.</summary>
        public double LogReturn { get; private set; }

        /// <summary>Of feedback: 1 right, -1 wrong, 0 none.</summary>
        public int Verdict { get; private set; }
    }

    /// <summary>End of the ledger.</summary>
    public struct LedgerHead
    {
        internal LedgerHead(long rows, string hash)
        {
            Rows = rows;
            Hash = hash;
        }

        /// <summary>Number of rows.</summary>
        public long Rows { get; }

        /// <summary>Hash of the last row; 64 zeros when empty.</summary>
        public string Hash { get; }
    }

    /// <summary>What was predicted, written before its outcome, and what came of it. Append-only and hash-chained.</summary>
    public sealed unsafe class Ledger
    {
        readonly Workspace workspace;

        internal Ledger(Workspace workspace)
        {
            this.workspace = workspace;
        }

        /// <summary>Its end.</summary>
        public LedgerHead Head()
        {
            csm_ledger_head head;
            using (workspace.Context.Begin()) NativeMethods.csm_learn_head(&head, workspace.Store.Native);
            return new LedgerHead(head.rows, Wire.Text(head.hash));
        }

        /// <summary>Recomputes the whole chain.</summary>
        /// <exception cref="CryptoSmartException">Corrupt; the text names the first row whose content or link is wrong.</exception>
        public LedgerHead Verify(CancellationToken cancellationToken = default(CancellationToken))
        {
            csm_ledger_head head;
            using (workspace.Context.Begin(null, cancellationToken))
                NativeMethods.csm_learn_verify(&head, workspace.Context.Native, workspace.Store.Native);
            return new LedgerHead(head.rows, Wire.Text(head.hash));
        }

        /// <summary>Entries with from &lt;= decision &lt; to, by row.</summary>
        /// <param name="horizon">Null: all.</param>
        /// <param name="from">Null: from the beginning.</param>
        /// <param name="to">Null: to the end.</param>
        /// <param name="shownOnly">Those that passed the gate.</param>
        public IReadOnlyList<LedgerEntry> History(TimeSpan? horizon = null, DateTimeOffset? from = null, DateTimeOffset? to = null,
                                                  bool shownOnly = false)
        {
            var entries = new List<LedgerEntry>();
            using (workspace.Context.Begin())
            {
                csm_ledger_history history;
                NativeMethods.csm_learn_history(out history, workspace.Store.Native, horizon.HasValue ? Wire.Nanoseconds(horizon.Value) : 0,
                                                Wire.Nanoseconds(from, Wire.Unknown), Wire.Nanoseconds(to, Wire.Unlimited), shownOnly ? 1 : 0);
                using (history)
                {
                    long count = NativeMethods.csm_ledger_history_count(history);
                    for (long i = 0; i < count; i++) entries.Add(LedgerEntry.From(NativeMethods.csm_ledger_history_at(history, i)));
                }
            }
            return entries;
        }

        /// <summary>Scores and evidence of matured live entries; null when none matured.</summary>
        public ScoreCard Scores(TimeSpan horizon)
        {
            csm_scores scores;
            csm_evidence evidence;
            using (workspace.Context.Begin())
            {
                try
                {
                    NativeMethods.csm_learn_scores(&scores, &evidence, workspace.Context.Native, workspace.Store.Native, Wire.Nanoseconds(horizon));
                }
                catch (CryptoSmartException error) when (error.Status == Status.NoData)
                {
                    return null;
                }
            }
            return new ScoreCard(&scores, Evidence.From(&evidence));
        }

        /// <summary>What somebody says of a forecast. Appended, never changed; never touches the outcome.</summary>
        /// <param name="row">Row of the forecast.</param>
        /// <param name="verdict">1 right, -1 wrong, 0 withdraws what was said before.</param>
        /// <param name="who">1..64 bytes.</param>
        /// <param name="text">At most 1024 bytes.</param>
        public void AddFeedback(long row, int verdict, string who, string text = null)
        {
            Wire.NotNull(who, nameof(who));
            using (workspace.Context.Begin())
                NativeMethods.csm_learn_feedback_add(workspace.Context.Native, workspace.Store.Native, row, verdict, who, text);
        }
    }
}
