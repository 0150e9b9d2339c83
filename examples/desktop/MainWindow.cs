// SPDX-License-Identifier: MIT
using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using CryptoSmart;
using Gtk;

namespace Desktop
{
    sealed class MainWindow : Window
    {
        const uint RefreshMilliseconds = 60000, QueueMilliseconds = 40;
        readonly ConcurrentQueue<System.Action> waiting = new ConcurrentQueue<System.Action>();
        readonly Desk desk;
        readonly HealthBar health = new HealthBar();
        readonly Label gate = Look.Wrapped(""), status = Look.Text("");
        readonly Notebook pages = new Notebook();
        readonly Widget healthCard;
        readonly EventBox gateBox = new EventBox().With("warn");
        readonly Button refresh = new Button("Refresh"), run = new Button("Run the cycle"), predict = new Button("Predict"), train = new Button("Train"),
                        cancel = new Button("Cancel") { Sensitive = false };
        readonly ProgressBar progress = new ProgressBar { Valign = Align.Center, WidthRequest = 150 };
        readonly Label doing = Look.Text("");
        CancellationTokenSource running;
        Snapshot snapshot;
        string explained;

        public MainWindow(Desk desk) : base("cryptosmart")
        {
            this.desk = desk;
            SettingsPage = new SettingsView(desk);
            SetDefaultSize(1360, 860);
            WindowPosition = WindowPosition.Center;
            var all = new VBox(false, 0);
            all.PackStart(Top(), false, false, 0);
            var body = new VBox(false, 10) { BorderWidth = 12 };
            healthCard = Look.Card(health, 10);
            healthCard.NoShowAll = true;
            body.PackStart(healthCard, false, false, 0);
            var left = new VBox(false, 8);
            gateBox.Add(new Alignment(0, 0, 1, 1) { LeftPadding = 12, RightPadding = 12, TopPadding = 7, BottomPadding = 7, Child = gate });
            left.PackStart(Ranking, true, true, 0);
            gateBox.NoShowAll = true;
            left.PackStart(gateBox, false, false, 0);
            var split = new HBox(false, 10);
            split.PackStart(left, true, true, 0);
            Detail.WidthRequest = 440;
            Detail.NoShowAll = true;
            split.PackStart(Detail, false, false, 0);
            pages.AppendPage(Page(split, 8), new Label("Ranking"));
            pages.AppendPage(Page(Look.Card(Reliability, 16), 8), new Label("Reliability"));
            pages.AppendPage(Page(Look.Card(Outcomes, 16), 8), new Label("Outcomes"));
            pages.AppendPage(Page(Look.Card(SettingsPage, 16), 8), new Label("Settings"));
            body.PackStart(pages, true, true, 0);
            body.PackStart(status, false, false, 0);
            all.PackStart(body, true, true, 0);
            Add(all);
            Ranking.Selected += (sender, arguments) => Explain();
            SettingsPage.Saved += (sender, arguments) =>
            {
                desk.Reopen();
                Reload();
            };
            refresh.Clicked += (sender, arguments) => Reload();
            run.Clicked += (sender, arguments) => Start(Work.Whole);
            predict.Clicked += (sender, arguments) => Start(Work.Predict);
            train.Clicked += (sender, arguments) => Start(Work.Train);
            cancel.Clicked += (sender, arguments) => running?.Cancel();
            DeleteEvent += (sender, arguments) =>
            {
                running?.Cancel();
                Application.Quit();
            };
            GLib.Timeout.Add(QueueMilliseconds, Dequeue);
            GLib.Timeout.Add(RefreshMilliseconds, () =>
            {
                Reload();
                return true;
            });
        }

        public RankingView Ranking { get; } = new RankingView();

        public DetailView Detail { get; } = new DetailView();

        public ReliabilityView Reliability { get; } = new ReliabilityView();

        public OutcomeView Outcomes { get; } = new OutcomeView();

        public SettingsView SettingsPage { get; }

        public HealthBar HealthBar => health;

        public string StatusText => status.Text;

        public bool Loaded => snapshot != null && (snapshot.Ranking == null || Detail.Ready);

        public string Failure { get; private set; } // of the last reading or work

        /// What the background is doing, or did.
        public string Doing => doing.Text;

        public bool Working => running != null;

        public void Page(int page) => pages.CurrentPage = page;

        static Widget Page(Widget content, uint padding)
        {
            var page = new Alignment(0, 0, 1, 1) { TopPadding = padding };
            page.Add(content);
            return page;
        }

        Widget Top()
        {
            var bar = new EventBox().With("top");
            var row = new HBox(false, 8) { BorderWidth = 10 };
            var names = new VBox(false, 0);
            names.PackStart(Look.Text(GLib.Markup.EscapeText("cryptosmart")).With("title"), false, false, 0);
            names.PackStart(Look.Text(GLib.Markup.EscapeText(desk.Path)).With("quiet"), false, false, 0);
            row.PackStart(names, true, true, 4);
            row.PackStart(doing.With("quiet"), false, false, 0);
            row.PackStart(progress, false, false, 0);
            row.PackStart(cancel, false, false, 0);
            row.PackStart(refresh, false, false, 8);
            row.PackStart(train, false, false, 0);
            row.PackStart(predict, false, false, 0);
            row.PackStart(run.With("go"), false, false, 0);
            run.TooltipText = "Discover, ingest, train, predict and learn, in the background";
            bar.Add(row);
            progress.NoShowAll = true;
            return bar;
        }

        /// Runs on the window's own thread. One timer that stays looks into the queue: GTK# removes each idle handler twice, with a warning.
        void Later(System.Action action) => waiting.Enqueue(action);

        bool Dequeue()
        {
            System.Action action;
            while (waiting.TryDequeue(out action)) action();
            return true;
        }

        public void Reload()
        {
            refresh.Sensitive = false;
            desk.Load().ContinueWith(load => Later(() =>
            {
                refresh.Sensitive = true;
                if (load.IsFaulted) Fail(load.Exception);
                else Fill(load.Result);
            }));
        }

        void Fail(AggregateException error)
        {
            Failure = error.GetBaseException().Message;
            status.Markup = Form.Markup(Failure, Form.Bad);
            if (snapshot == null)
                Ranking.Empty(desk.Exists ? "The workspace cannot be read" : "There is no workspace yet",
                              desk.Exists ? Failure : "\u201cRun the cycle\u201d makes one at " + desk.Path + " and fetches what Kraken lists.");
        }

        static void Appear(Widget widget)
        {
            widget.NoShowAll = false;
            widget.ShowAll();
        }

        void Fill(Snapshot loaded)
        {
            snapshot = loaded;
            Failure = null;
            explained = null;
            health.Fill(loaded.Health);
            Appear(healthCard);
            Appear(gateBox);
            if (loaded.Ranking != null) Appear(Detail);
            Ranking.Fill(loaded);
            Reliability.Fill(loaded);
            Outcomes.Fill(loaded);
            gate.Markup = loaded.Gate.Text.Length == 0 ? "The gate of " + Form.Horizon(loaded.Horizon) + " is open."
                                                       : "<b>The gate of " + Form.Horizon(loaded.Horizon) + ".</b> " + GLib.Markup.EscapeText(loaded.Gate.Text.Trim());
            WorkspaceStatus state = loaded.Status;
            string age = state.Last.HasValue ? Form.Age(DateTimeOffset.UtcNow - state.Last.Value) + " old" : "none";
            status.Markup = Form.Markup("Newest data " + Form.Time(state.Last) + ", " + age + "   \u00b7   trained on data to " + Form.Time(state.Trained) + "   \u00b7   " +
                                        state.Universe + " of " + state.Markets + " markets modelled   \u00b7   " + Form.Count(state.Rows) + " records   \u00b7   ledger " +
                                        Form.Count(state.LedgerRows) + " rows   \u00b7   recipe " + state.Recipe, Form.Quiet, "size=\"small\"");
            Explain();
        }

        void Explain()
        {
            Forecast row = Ranking.Current;
            if (snapshot == null || row == null || row.Market == explained) return;
            explained = row.Market;
            Detail.Fill(row);
            desk.Explain(row.Market, snapshot.Horizon, snapshot.AsOf).ContinueWith(task => Later(() =>
            {
                if (row.Market != explained) return; // another coin was chosen in the meantime
                Detail.Explain(task.IsFaulted ? null : task.Result, task.IsFaulted ? task.Exception.GetBaseException().Message : null);
            }));
        }

        sealed class Report : IProgress<CryptoSmart.Progress>
        {
            readonly MainWindow window;
            int underway;

            public Report(MainWindow window)
            {
                this.window = window;
            }

            // Told far more often than a bar is looked at: one message at a time is on its way.
            void IProgress<CryptoSmart.Progress>.Report(CryptoSmart.Progress value)
            {
                if (Interlocked.Exchange(ref underway, 1) == 1) return;
                window.Later(() =>
                {
                    underway = 0;
                    if (window.running == null) return;
                    window.doing.Text = value.What;
                    if (double.IsNaN(value.Fraction)) window.progress.Pulse();
                    else window.progress.Fraction = value.Fraction;
                });
            }
        }

        public void Cancel() => running?.Cancel();

        public void Start(Work work)
        {
            if (running != null) return;
            running = new CancellationTokenSource();
            Busy(true);
            desk.Run(work, new Report(this), running.Token).ContinueWith(task => Later(() =>
            {
                running.Dispose();
                running = null;
                Busy(false);
                snapshot = null; // until it is read again
                Exception error = task.IsFaulted ? task.Exception.GetBaseException() : null;
                doing.Text = task.IsCanceled || error is OperationCanceledException ? "cancelled, nothing half done" : error != null ? "" : task.Result;
                if (error != null && !(error is OperationCanceledException)) Fail(task.Exception);
                else Reload();
            }));
        }

        void Busy(bool busy)
        {
            run.Sensitive = predict.Sensitive = train.Sensitive = !busy;
            cancel.Sensitive = busy;
            progress.Visible = busy;
            progress.Fraction = 0;
            doing.Text = busy ? "starting" : "";
        }
    }
}
