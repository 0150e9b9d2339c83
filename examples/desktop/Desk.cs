// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using CryptoSmart;

namespace Desktop
{
    /// What the window shows of a workspace at one moment. Plain data: made in the background, read by the window.
    sealed class Snapshot
    {
        public WorkspaceStatus Status;
        public Health Health;
        public GateReport Gate;
        public Ranking Ranking; // null: nothing was trained
        public DateTimeOffset? AsOf; // of the ranking
        public bool FromLedger; // the ranking is that of the ledger's newest run
        public TimeSpan Horizon; // of the gate
        public double Threshold; // of the gate
        public IReadOnlyList<HorizonTraining> Training = new HorizonTraining[0];
        public IReadOnlyList<WalkRow> Walk = new WalkRow[0]; // of the gate's horizon
        public IReadOnlyList<LedgerEntry> Ledger = new LedgerEntry[0];
    }

    /// What the background cycle does.
    enum Work { Whole, Predict, Train }

    /// The work behind the window: one workspace opened for reading, one task at a time; the cycle on a workspace of its own.
    sealed class Desk : IDisposable
    {
        readonly object chain = new object();
        Task last = Task.FromResult(0);
        Context context;
        Workspace workspace;

        public Desk(string path, string settings)
        {
            Path = path;
            Settings = settings;
        }

        public string Path { get; }

        /// YAML file with the user's settings; it may be absent.
        public string Settings { get; }

        /// Whether there is a workspace to look at.
        public bool Exists => File.Exists(System.IO.Path.Combine(Path, "catalog.db"));

        public Config NewConfig()
        {
            var config = new Config();
            if (File.Exists(Settings)) config.Load(Settings);
            return config;
        }

        /// One after another, since they share a context.
        Task<T> Queue<T>(Func<T> work)
        {
            lock (chain)
            {
                Task<T> next = last.ContinueWith(_ => work(), TaskScheduler.Default);
                last = next;
                return next;
            }
        }

        public Task<Snapshot> Load() => Queue(LoadNow);

        public Task<Explanation> Explain(string market, TimeSpan horizon, DateTimeOffset? asOf) =>
            Queue(() => workspace.Explain(market, horizon, asOf));

        /// Settings are read again at the next load.
        public void Reopen() => Queue(() =>
        {
            Close();
            return 0;
        });

        Snapshot LoadNow()
        {
            if (workspace == null)
            {
                context = new Context();
                using (Config config = NewConfig()) workspace = new Workspace(context, Path, config);
            }
            else
            {
                workspace.Refresh();
            }
            var snapshot = new Snapshot { Status = workspace.StatusReport(), Health = workspace.HealthReport() };
            using (Config config = NewConfig())
            {
                snapshot.Horizon = config.Duration("gate.horizon");
                snapshot.Threshold = double.Parse(config["gate.threshold"], System.Globalization.CultureInfo.InvariantCulture);
            }
            snapshot.Gate = workspace.GateReport(snapshot.Horizon);
            snapshot.Ledger = workspace.Ledger.History();
            DateTimeOffset trained;
            using (Training champion = workspace.Champion())
            {
                if (champion == null) return snapshot;
                trained = champion.AsOf;
                snapshot.Training = champion.Horizons;
                for (int i = 0; i < champion.Horizons.Count; i++)
                    if (champion.Horizons[i].Horizon == snapshot.Horizon) snapshot.Walk = champion.Walk(i);
            }
            // the ledger's newest run, as it was; when there is none of this champion yet, the newest data that it may be asked about
            foreach (LedgerEntry entry in snapshot.Ledger)
                if (entry.Decision >= trained && (snapshot.AsOf == null || entry.Decision > snapshot.AsOf)) snapshot.AsOf = entry.Decision;
            snapshot.FromLedger = snapshot.AsOf != null;
            if (!snapshot.FromLedger) snapshot.AsOf = snapshot.Status.Last.HasValue && snapshot.Status.Last > trained ? snapshot.Status.Last : trained;
            snapshot.Ranking = workspace.Predict(snapshot.AsOf, dry: true);
            return snapshot;
        }

        /// Runs the cycle beside the reading window: each commit takes the workspace's lock for itself alone.
        public Task<string> Run(Work work, IProgress<Progress> progress, CancellationToken token) => Task.Run(() =>
        {
            using (Config config = NewConfig())
            using (var own = new Context())
            using (work == Work.Whole && !Exists ? new Workspace(own, Path, config, StoreMode.Create) : null)
            {
                // made, and nothing else
            }
            using (Config config = NewConfig())
            using (var own = new Context())
            using (var shared = new Workspace(own, Path, config, StoreMode.Shared))
            {
                var done = new List<string>();
                if (work == Work.Whole)
                {
                    Coverage coverage = shared.Discover(progress, token);
                    done.Add(coverage.PairsOffered + " pairs offered");
                    long rows = 0;
                    foreach (IngestItem item in shared.Ingest(progress, token)) rows += item.Rows;
                    done.Add(rows + " records received");
                }
                if (work != Work.Predict)
                    using (Training training = shared.Train(null, progress, token)) done.Add("trained " + training.Hash.Substring(0, 8));
                if (work != Work.Train)
                {
                    Ranking ranking = shared.Predict(progress: progress, cancellationToken: token);
                    done.Add(ranking.Shown.Count + " of " + ranking.All.Count + " coins shown");
                    Maturing maturing = shared.Learn(progress, token);
                    done.Add(maturing.Matured + " outcomes known");
                }
                return string.Join(", ", done);
            }
        });

        void Close()
        {
            workspace?.Dispose();
            context?.Dispose();
            workspace = null;
            context = null;
        }

        public void Dispose()
        {
            context?.Cancel();
            try
            {
                last.Wait();
            }
            catch (AggregateException)
            {
                // cancelled, as asked
            }
            Close();
        }
    }
}
