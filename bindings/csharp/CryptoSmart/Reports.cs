// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>One market of the registry.</summary>
    public sealed unsafe class Market
    {
        /// <summary>Id, such as "kraken:BTC/USD".</summary>
        public string Id { get; private set; }

        /// <summary>Venue, such as "kraken".</summary>
        public string Venue { get; private set; }

        /// <summary>Symbol, such as "BTC/USD".</summary>
        public string Symbol { get; private set; }

        /// <summary>Coin, such as "BTC".</summary>
        public string Coin { get; private set; }

        /// <summary>Quote currency.</summary>
        public string Quote { get; private set; }

        /// <summary>Reasons why it is not processed; none: it is.</summary>
        public Reasons Excluded { get; private set; }

        /// <summary>First seen in a listing.</summary>
        public DateTimeOffset? Listed { get; private set; }

        /// <summary>First missing from one; null while listed.</summary>
        public DateTimeOffset? Delisted { get; private set; }

        /// <summary>Listing epoch, from 1.</summary>
        public int Epoch { get; private set; }

        /// <summary>Whether its coin is modelled on it.</summary>
        public bool Canonical { get; private set; }

        internal static IReadOnlyList<Market> Read(csm_market_list list)
        {
            var markets = new List<Market>();
            using (new Kept(list))
            {
                for (long i = 0; i < NativeMethods.csm_market_list_count(list); i++)
                {
                    csm_market* row = NativeMethods.csm_market_list_at(list, i);
                    markets.Add(new Market
                    {
                        Id = Wire.Text(row->id), Venue = Wire.Text(row->venue), Symbol = Wire.Text(row->symbol), Coin = Wire.Text(row->coin),
                        Quote = Wire.Text(row->quote), Excluded = (Reasons)row->excluded, Listed = Wire.TimeOrNull(row->listed),
                        Delisted = Wire.TimeOrNull(row->delisted), Epoch = row->epoch, Canonical = row->canonical != 0,
                    });
                }
            }
            return markets;
        }
    }

    /// <summary>A listing run: offered = processed + excluded, in pairs and in coins.</summary>
    public sealed unsafe class Coverage
    {
        internal Coverage(csm_discovery discovery)
        {
            using (new Kept(discovery))
            {
                csm_coverage* row = NativeMethods.csm_discovery_coverage(discovery);
                Venue = Wire.Text(row->venue);
                ListingHash = Wire.Text(row->listing_hash);
                Time = Wire.Time(row->time);
                PairsOffered = (int)row->pairs_offered;
                PairsProcessed = (int)row->pairs_processed;
                PairsExcluded = (int)row->pairs_excluded;
                CoinsOffered = (int)row->coins_offered;
                CoinsProcessed = (int)row->coins_processed;
                CoinsExcluded = (int)row->coins_excluded;
            }
        }

        /// <summary>Venue.</summary>
        public string Venue { get; }

        /// <summary>SHA-256 (hex) of the raw listing.</summary>
        public string ListingHash { get; }

        /// <summary>When it was received.</summary>
        public DateTimeOffset Time { get; }

        /// <summary>Pairs offered.</summary>
        public int PairsOffered { get; }

        /// <summary>Pairs processed.</summary>
        public int PairsProcessed { get; }

        /// <summary>Pairs excluded, each with a reason.</summary>
        public int PairsExcluded { get; }

        /// <summary>Coins offered.</summary>
        public int CoinsOffered { get; }

        /// <summary>Coins processed.</summary>
        public int CoinsProcessed { get; }

        /// <summary>Coins excluded, each with a reason.</summary>
        public int CoinsExcluded { get; }
    }

    /// <summary>What became of one source and market of an ingest run.</summary>
    public sealed unsafe class IngestItem
    {
        /// <summary>Source, such as "kraken.ohlc".</summary>
        public string Source { get; private set; }

        /// <summary>Market id; "" for sources that are not per market.</summary>
        public string Market { get; private set; }

        /// <summary>Class of the last reply.</summary>
        public NetClass Class { get; private set; }

        /// <summary>Requests made.</summary>
        public long Requests { get; private set; }

        /// <summary>Rows appended, new or revised.</summary>
        public long Rows { get; private set; }

        /// <summary>Newest event in the store now; null: nothing.</summary>
        public DateTimeOffset? Newest { get; private set; }

        /// <summary>Why not; "" when fine.</summary>
        public string Text { get; private set; }

        internal static IReadOnlyList<IngestItem> Read(csm_ingest_report report)
        {
            var items = new List<IngestItem>();
            using (new Kept(report))
            {
                for (long i = 0; i < NativeMethods.csm_ingest_report_count(report); i++)
                {
                    csm_ingest_item* row = NativeMethods.csm_ingest_report_at(report, i);
                    items.Add(new IngestItem
                    {
                        Source = Wire.Text(row->source), Market = Wire.Text(row->market), Class = (NetClass)row->net_class,
                        Requests = (long)row->requests, Rows = (long)row->rows, Newest = Wire.TimeOrNull(row->newest), Text = Wire.Text(row->text),
                    });
                }
            }
            return items;
        }
    }

    /// <summary>What a look at the ledger matured.</summary>
    public struct Maturing
    {
        internal Maturing(long matured, long unknown, long pending)
        {
            Matured = matured;
            Unknown = unknown;
            Pending = pending;
        }

        /// <summary>Outcomes written now, unknown ones included.</summary>
        public long Matured { get; }

        /// <summary>Outcomes that lie in a gap of the data.</summary>
        public long Unknown { get; }

        /// <summary>Rows whose time has not come.</summary>
        public long Pending { get; }
    }

    /// <summary>State of a workspace.</summary>
    public sealed class WorkspaceStatus
    {
        /// <summary>Markets registered.</summary>
        public long Markets { get; internal set; }

        /// <summary>Markets modelled.</summary>
        public long Universe { get; internal set; }

        /// <summary>Streams of records.</summary>
        public long Streams { get; internal set; }

        /// <summary>Records.</summary>
        public long Rows { get; internal set; }

        /// <summary>First bar; null: none.</summary>
        public DateTimeOffset? First { get; internal set; }

        /// <summary>Last bar; null: none.</summary>
        public DateTimeOffset? Last { get; internal set; }

        /// <summary>Last listing run; null: never.</summary>
        public DateTimeOffset? Discovered { get; internal set; }

        /// <summary>Data time of the champion; null: never trained.</summary>
        public DateTimeOffset? Trained { get; internal set; }

        /// <summary>Span of bars of the shortest market.</summary>
        public TimeSpan HistoryClock { get; internal set; }

        /// <summary>Span of live predictions.</summary>
        public TimeSpan LiveClock { get; internal set; }

        /// <summary>Rows of the ledger.</summary>
        public long LedgerRows { get; internal set; }

        /// <summary>Parameter settings ever tried.</summary>
        public long Trials { get; internal set; }

        /// <summary>Recipe that would be trained.</summary>
        public string Recipe { get; internal set; }
    }

    /// <summary>One finding of the doctor.</summary>
    public sealed class Finding
    {
        /// <summary>What was looked at, such as "store.catalog".</summary>
        public string Name { get; internal set; }

        /// <summary>What was found.</summary>
        public string Text { get; internal set; }

        /// <summary>Error, warning, or Info: fine.</summary>
        public LogLevel Level { get; internal set; }
    }

    /// <summary>One part of the health score.</summary>
    public sealed class HealthPart
    {
        /// <summary>Name.</summary>
        public string Name { get; internal set; }

        /// <summary>Weight in the score.</summary>
        public double Weight { get; internal set; }

        /// <summary>0..1; NaN: not available.</summary>
        public double Value { get; internal set; }

        /// <summary>What it was made from, or what is missing.</summary>
        public string Text { get; internal set; }
    }

    /// <summary>How well a workspace's work stands.</summary>
    public sealed class Health
    {
        /// <summary>0..1; NaN as long as a part is not available.</summary>
        public double Score { get; internal set; }

        /// <summary>The score over the parts that are available; NaN without any.</summary>
        public double Available { get; internal set; }

        /// <summary>Score from which it is a go.</summary>
        public double GoAt { get; internal set; }

        /// <summary>Whether it is a go.</summary>
        public bool Go { get; internal set; }

        /// <summary>The parts.</summary>
        public IReadOnlyList<HealthPart> Parts { get; internal set; }
    }

    /// <summary>Why one horizon is open or shut, and what would open it.</summary>
    public sealed class GateReport
    {
        /// <summary>The horizon.</summary>
        public TimeSpan Horizon { get; internal set; }

        /// <summary>Reasons against showing anything; none: open.</summary>
        public Reasons Reasons { get; internal set; }

        /// <summary>Further reasons against trade signals.</summary>
        public Reasons TradeReasons { get; internal set; }

        /// <summary>Whether calls may be shown.</summary>
        public bool Open { get; internal set; }

        /// <summary>Evidence in force.</summary>
        public EvidenceStatus Evidence { get; internal set; }

        /// <summary>Blocks of outcomes missing until a status other than unproven.</summary>
        public double BlocksMissing { get; internal set; }

        /// <summary>Span of live predictions.</summary>
        public TimeSpan LiveClock { get; internal set; }

        /// <summary>Span of live predictions that trading asks for.</summary>
        public TimeSpan LiveNeeded { get; internal set; }

        /// <summary>A line for each condition that fails; "" when all hold.</summary>
        public string Text { get; internal set; }
    }

    /// <summary>One model of a workspace.</summary>
    public sealed class ModelEntry
    {
        /// <summary>SHA-256 (hex) of its file.</summary>
        public string Hash { get; internal set; }

        /// <summary>"champion", "challenger", "shadow" or "retired".</summary>
        public string Role { get; internal set; }

        /// <summary>Data it was trained on.</summary>
        public DateTimeOffset? AsOf { get; internal set; }

        /// <summary>Brier skill on its walk; NaN: not recorded.</summary>
        public double BrierSkill { get; internal set; }

        /// <summary>Live forecasts of it that matured.</summary>
        public long Outcomes { get; internal set; }
    }

    public sealed unsafe partial class Workspace
    {
        /// <summary>State of the workspace.</summary>
        public WorkspaceStatus StatusReport()
        {
            csm_pipeline_status row;
            using (Context.Begin()) NativeMethods.csm_pipeline_status_report(&row, handle);
            return new WorkspaceStatus
            {
                Markets = (long)row.markets, Universe = (long)row.universe, Streams = (long)row.streams, Rows = (long)row.rows,
                First = Wire.TimeOrNull(row.first), Last = Wire.TimeOrNull(row.last), Discovered = Wire.TimeOrNull(row.discovered),
                Trained = Wire.TimeOrNull(row.trained), HistoryClock = Wire.Span(row.history_clock), LiveClock = Wire.Span(row.live_clock),
                LedgerRows = row.ledger.rows, Trials = row.trials, Recipe = Wire.Text(row.recipe),
            };
        }

        /// <summary>How well the workspace's work stands.</summary>
        /// <param name="errorRatio">Share of failed jobs that a host counted; NaN: from matured forecasts.</param>
        public Health HealthReport(double errorRatio = double.NaN)
        {
            csm_health row;
            using (Context.Begin()) NativeMethods.csm_pipeline_health(&row, handle, errorRatio);
            var parts = new List<HealthPart>();
            csm_health_part* part = &row.part_0;
            for (int i = 0; i < Limits.CSM_HEALTH_PARTS; i++)
            {
                if (part[i].name == null) continue;
                parts.Add(new HealthPart
                {
                    Name = Wire.Text(part[i].name), Weight = part[i].weight, Value = part[i].value, Text = Wire.Text(part[i].text),
                });
            }
            return new Health { Score = row.score, Available = row.available, GoAt = row.go_at, Go = row.go != 0, Parts = parts };
        }

        /// <summary>Why one horizon is open or shut.</summary>
        public GateReport GateReport(TimeSpan horizon)
        {
            csm_gate_report row;
            using (Context.Begin()) NativeMethods.csm_pipeline_gate(&row, handle, Wire.Nanoseconds(horizon));
            return new GateReport
            {
                Horizon = Wire.Span(row.horizon), Reasons = (Reasons)row.reasons, TradeReasons = (Reasons)row.trade_reasons,
                Open = row.open != 0, Evidence = (EvidenceStatus)row.evidence, BlocksMissing = row.blocks_missing,
                LiveClock = Wire.Span(row.live_clock), LiveNeeded = Wire.Span(row.live_needed), Text = Wire.Text(row.text),
            };
        }

        /// <summary>Champion first, then challenger, shadow, and retired ones, newest first.</summary>
        public IReadOnlyList<ModelEntry> Models()
        {
            var models = new List<ModelEntry>();
            csm_model_list list;
            using (Context.Begin()) NativeMethods.csm_pipeline_models(out list, handle);
            using (list)
            {
                for (long i = 0; i < NativeMethods.csm_model_list_count(list); i++)
                {
                    csm_model_entry* row = NativeMethods.csm_model_list_at(list, i);
                    models.Add(new ModelEntry
                    {
                        Hash = Wire.Text(row->hash), Role = Wire.Text(row->role), AsOf = Wire.TimeOrNull(row->as_of),
                        BrierSkill = row->brier_skill, Outcomes = (long)row->outcomes,
                    });
                }
            }
            return models;
        }

        /// <summary>Looks at machine, build, workspace and data; reaches no network.</summary>
        public static IReadOnlyList<Finding> Doctor(Context context, string path, Config config = null)
        {
            Wire.NotNull(context, nameof(context));
            Wire.NotNull(path, nameof(path));
            var findings = new List<Finding>();
            Config own = config == null ? new Config() : null;
            try
            {
                csm_checks checks;
                using (context.Begin()) NativeMethods.csm_pipeline_doctor(out checks, context.Native, (config ?? own).Native, path);
                using (checks)
                {
                    for (long i = 0; i < NativeMethods.csm_checks_count(checks); i++)
                    {
                        csm_check* row = NativeMethods.csm_checks_at(checks, i);
                        findings.Add(new Finding { Name = Wire.Text(row->name), Text = Wire.Text(row->text), Level = (LogLevel)row->level });
                    }
                }
            }
            finally
            {
                own?.Dispose();
            }
            return findings;
        }
    }
}
