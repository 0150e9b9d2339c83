// SPDX-License-Identifier: MIT
// The cycle on a workspace made of the bundled sample with a small model.
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using CryptoSmart;

static class WorkspaceTests
{
    static readonly string source = Environment.GetEnvironmentVariable("CSM_SOURCE_DIR");
    static readonly DateTimeOffset end = new DateTimeOffset(2023, 12, 30, 19, 0, 0, TimeSpan.Zero);
    static string made;

    // A small model, over the gate's horizon and a shorter one.
    internal static string Yaml() =>
        "train:\n  horizons: [\"7d\", \"30d\"]\n  steps: [\"2d\", \"2d\"]\n  spans: [\"0s\", \"0s\"]\n  windows: [\"0s\", \"0s\"]\n" +
        "  first: [\"270d\", \"270d\"]\n  members: [\"trees\"]\n  bootstrap: 20\ngbt:\n  rounds: 10\n";

    static Config Small() => new Config().Parse(Yaml());

    static Context AtEnd()
    {
        var context = new Context();
        context.SetClock(() => end);
        return context;
    }

    static string Made()
    {
        if (made != null) return made;
        string folder = Path.Combine(Environment.GetEnvironmentVariable("CSM_TEST_FOLDER") ?? Path.GetTempPath(), "workspace");
        Make(folder);
        return made = folder;
    }

    // Adopts the sample, trains, and predicts once into the ledger.
    internal static void Make(string folder)
    {
        using (Config config = Small())
        using (Context context = AtEnd())
        using (var workspace = new Workspace(context, folder, config, StoreMode.Create))
        {
            Coverage coverage = workspace.Adopt(Path.Combine(source, "examples", "data"));
            Check.Equal(coverage.PairsOffered, coverage.PairsProcessed + coverage.PairsExcluded, "pairs offered");
            var told = new List<string>();
            using (Training training = workspace.Train(progress: new Count(told)))
            {
                Check.Equal(2, training.Horizons.Count);
                Check.Equal(64, training.Hash.Length);
                Check.Equal(training.Horizons[0].WalkRows, (long)training.Walk(0).Count);
            }
            Check.That(told.Count > 0, "training told no progress");
            Ranking ranking = workspace.Predict();
            Check.That(ranking.All.Count >= 20, ranking.All.Count + " coins considered");
        }
    }

    sealed class Count : IProgress<Progress>
    {
        readonly List<string> told;

        internal Count(List<string> told)
        {
            this.told = told;
        }

        public void Report(Progress value) => told.Add(value.What);
    }

    static void Reading(Action<Context, Workspace> look)
    {
        using (Config config = Small())
        using (Context context = AtEnd())
        using (var workspace = new Workspace(context, Made(), config)) look(context, workspace);
    }

    [Test]
    static void a_ranking_holds_every_coin_and_counts_where_they_fell()
    {
        Reading((context, workspace) =>
        {
            Ranking ranking = workspace.Predict(dry: true);
            int fell = 0;
            foreach (FunnelStep step in ranking.Funnel) fell += step.Fell;
            Check.Equal(ranking.All.Count, ranking.Shown.Count + fell, "coins");
            foreach (Forecast row in ranking.All)
            {
                Check.That(row.Market.EndsWith(":" + row.Coin + "/USDT", StringComparison.Ordinal), row.Market);
                Check.That(row.Horizons[0].Probability >= 0 && row.Horizons[0].Probability <= 1, row.Coin);
                Check.Equal(TimeSpan.FromDays(7), row.Horizons[0].Horizon);
                Check.Equal("trees", row.Horizons[0].Members[0].Name);
            }
            Check.Equal("PROBABILITY_LOW", Reasons.ProbabilityLow.Describe()[0].Key);
        });
    }

    [Test]
    static void the_ledger_holds_what_was_predicted()
    {
        Reading((context, workspace) =>
        {
            Ranking ranking = workspace.Predict(dry: true);
            IReadOnlyList<LedgerEntry> entries = workspace.Ledger.History();
            Check.Equal(2 * ranking.All.Count, entries.Count, "entries");
            var byMarket = new Dictionary<string, Forecast>();
            foreach (Forecast row in ranking.All) byMarket[row.Market] = row;
            foreach (LedgerEntry entry in entries)
            {
                Check.Equal(byMarket[entry.Market].At(entry.Horizon).Probability, entry.Probability, entry.Market);
                Check.Equal(TargetState.Pending, entry.State);
            }
            Check.Equal(workspace.Ledger.Head().Hash, workspace.Ledger.Verify().Hash);
            Check.That(workspace.Ledger.Scores(TimeSpan.FromDays(30)) == null, "nothing matured yet");
            Check.Equal(workspace.Ledger.Head().Rows, workspace.StatusReport().LedgerRows);
        });
    }

    [Test]
    static void an_explanation_adds_up_to_the_member_s_score()
    {
        Reading((context, workspace) =>
        {
            Explanation explanation = workspace.ExplainAsync("BTC").Result;
            double sum = explanation.Base;
            foreach (Contribution part in explanation.Contributions) sum += part.Amount;
            Check.That(Math.Abs(sum - explanation.Horizon.Members[0].Score) < 1e-9, sum + " and " + explanation.Horizon.Members[0].Score);
            Check.Throws<CryptoSmartException>(() => workspace.Explain("NOSUCHCOIN"), "NOSUCHCOIN");
        });
    }

    [Test]
    static void bars_and_features_are_read_in_place()
    {
        Reading((context, workspace) =>
        {
            Bars bars = workspace.Store.ReadBars("binance", "BTC/USDT", TimeSpan.FromHours(1), end.AddDays(-10), end);
            Check.Equal(240, bars.Count);
            Check.Equal(42411.11, bars.Close[239]);
            for (int i = 0; i < bars.Count; i++) Check.That(bars.Low[i] <= bars.Close[i] && bars.Close[i] <= bars.High[i], "bar " + i);
            bars.Dispose();
            Check.Throws<ObjectDisposedException>(() => bars.Close.ToArray());
            using (Frame frame = workspace.Fuse(end.AddDays(-1), end))
            {
                Check.Equal(frame.Rows * frame.Columns, frame.Values.Length);
                Check.Equal(frame.Columns, frame.Features.Count);
                Check.That(frame.Rows > 100, frame.Rows + " rows");
                foreach (float value in frame.Values) Check.That(!float.IsNaN(value), "a value is missing");
                Check.Equal(frame.Rows, frame.Times.Length);
                Check.That(frame.Row(7).SequenceEqual(frame.Values.Slice(7 * frame.Columns, frame.Columns)), "row 7");
                Check.Throws<ArgumentOutOfRangeException>(() => frame.Row(frame.Rows));
            }
            Check.That(workspace.Store.Streams("bars").Count >= 24, "streams");
            Check.That(workspace.Universe().Count >= 20, "universe");
        });
    }

    [Test]
    static void reports_say_how_things_stand()
    {
        Reading((context, workspace) =>
        {
            WorkspaceStatus status = workspace.StatusReport();
            Check.Equal(end, status.Last.Value);
            Check.That(workspace.HealthReport().Parts.Count == 6, "parts of the health score");
            GateReport gate = workspace.GateReport(TimeSpan.FromDays(30));
            Check.Equal(EvidenceStatus.Unproven, gate.Evidence);
            Check.That(gate.Text.Length > 0, "the gate says nothing");
            Check.Equal("champion", workspace.Models()[0].Role);
            using (Config config = Small()) Check.That(Workspace.Doctor(context, workspace.Path, config).Count > 3, "findings");
            using (Training champion = workspace.Champion()) Check.Equal(champion.Hash, workspace.Models()[0].Hash);
        });
    }

    [Test]
    static void a_read_only_workspace_refuses_to_train_and_an_empty_one_has_no_champion()
    {
        Reading((context, workspace) =>
            Check.Equal(Status.ReadOnly, Check.Throws<CryptoSmartException>(() => workspace.Train()).Status));
        string folder = Made() + "-empty";
        using (var context = new Context())
        using (var workspace = new Workspace(context, folder, null, StoreMode.Create)) Check.That(workspace.Champion() == null, "a champion of nothing");
    }

    [Test]
    static void a_champion_predicts_as_of_its_own_time_whatever_its_nanoseconds_are()
    {
        string folder = Made() + "-odd";
        using (Config config = Small())
        using (Context context = AtEnd())
        {
            using (var workspace = new Workspace(context, Made(), config)) workspace.Store.Backup(folder + "-backup");
            Store.Restore(context, folder + "-backup", folder);
            using (var workspace = new Workspace(context, folder, config, StoreMode.Write))
            {
                // the system's clock has nanoseconds that DateTimeOffset lacks
                context.SetClock(null);
                using (Training training = workspace.Train()) Check.That(workspace.Predict(training.AsOf, dry: true).All.Count > 20, "coins");
            }
        }
    }

    [Test]
    static void a_backup_restores_to_the_same_ledger()
    {
        string backup = Made() + "-backup", copy = Made() + "-restored";
        Reading((context, workspace) =>
        {
            Check.Equal(0L, workspace.Store.Verify(), "faults");
            workspace.Store.Backup(backup);
            Check.Throws<CryptoSmartException>(() => workspace.Store.Backup(backup));
            Store.Restore(context, backup, copy);
            using (Config config = Small())
            using (var restored = new Workspace(context, copy, config))
                Check.Equal(workspace.Ledger.Head().Hash, restored.Ledger.Verify().Hash);
        });
    }

    [Test]
    static void training_can_be_cancelled_from_outside()
    {
        using (Config config = Small())
        using (Context context = AtEnd())
        using (var workspace = new Workspace(context, Made(), config, StoreMode.Shared))
        using (var source = new CancellationTokenSource())
        {
            long trials = workspace.Models().Count;
            Task<Training> training = workspace.TrainAsync(progress: new Stop(source), cancellationToken: source.Token);
            Check.Throws<OperationCanceledException>(() => training.GetAwaiter().GetResult());
            Check.Equal(trials, (long)workspace.Models().Count, "models");
            Check.That(workspace.Predict(dry: true).All.Count > 0, "the workspace goes on working");
        }
    }

    [Test]
    static void an_exception_of_the_clock_comes_out_of_the_call()
    {
        using (Config config = Small())
        using (Context context = AtEnd())
        using (var workspace = new Workspace(context, Made(), config))
        {
            context.SetClock(() => { throw new FormatException("of the clock"); });
            Check.Throws<FormatException>(() => workspace.Predict(dry: true), "of the clock");
            context.SetClock(() => end);
            Check.That(workspace.Predict(dry: true).All.Count > 0, "the workspace goes on working");
        }
    }

    [Test]
    static void an_exception_of_a_log_handler_cancels_and_comes_out()
    {
        using (Config config = Small())
        using (var context = new Context(new ContextOptions { LogLevel = LogLevel.Info }))
        {
            config["kraken.url"] = "http://127.0.0.1:9"; // nobody listens: the client logs that it tries again
            string module = null;
            context.Log += (sender, line) =>
            {
                module = line.Module;
                throw new FormatException(line.Text);
            };
            using (var workspace = new Workspace(context, Made() + "-offline", config, StoreMode.Create))
                Check.Throws<FormatException>(() => workspace.Discover(), "127.0.0.1");
            Check.Equal("net", module);
        }
    }

    sealed class Stop : IProgress<Progress>
    {
        readonly CancellationTokenSource source;

        internal Stop(CancellationTokenSource source)
        {
            this.source = source;
        }

        public void Report(Progress value) => source.Cancel();
    }

    [Test]
    static void objects_are_disposed_in_any_order()
    {
        for (int order = 0; order < 24; order++)
        {
            Context context = AtEnd();
            Config config = Small();
            var workspace = new Workspace(context, Made(), config);
            Training training = workspace.Champion();
            Bars bars = workspace.Store.ReadBars("binance", "BTC/USDT", TimeSpan.FromHours(1), end.AddDays(-1), end);
            var objects = new List<IDisposable> { context, config, workspace, training, bars };
            for (int left = objects.Count, key = order * 7 + 3; left > 0; left--, key = key * 31 + 11)
            {
                int at = (key & 0x7fffffff) % left;
                objects[at].Dispose();
                objects.RemoveAt(at);
                if (order % 6 == 0) GC.Collect();
            }
            Check.Throws<ObjectDisposedException>(() => workspace.Predict(dry: true));
            Check.Throws<ObjectDisposedException>(() => workspace.Store.Streams());
            Check.Throws<ObjectDisposedException>(() => { string unused = training.Hash; });
        }
    }
}
