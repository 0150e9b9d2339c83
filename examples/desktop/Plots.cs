// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using CryptoSmart;
using Gtk;

namespace Desktop
{
    /// Whether probabilities meant what they said, a diagram for each horizon.
    sealed class ReliabilityView : VBox
    {
        readonly Drawing drawing;
        readonly Label note = Look.Wrapped("");
        IReadOnlyList<HorizonTraining> horizons = new HorizonTraining[0];

        public ReliabilityView() : base(false, 8)
        {
            drawing = new Drawing(Draw);
            PackStart(Look.Text(Form.Markup("Reliability of walk-forward forecasts", Form.Ink, "weight=\"bold\" size=\"large\"")), false, false, 0);
            PackStart(note, false, false, 0);
            PackStart(drawing, true, true, 0);
        }

        public IEnumerable<string> Texts() => horizons.Select(Title);

        public void Fill(Snapshot snapshot)
        {
            horizons = snapshot.Training;
            note.Markup = Form.Markup("Each forecast was made by a model and a calibrator that knew nothing after its time. On the diagonal a probability came true as often as it " +
                                      "said; the lines are 90 % bands of a block bootstrap, the size of a point its number of forecasts.", Form.Quiet);
            drawing.QueueDraw();
        }

        static string Title(HorizonTraining row) => Form.Horizon(row.Horizon) + ": Brier skill " + Form.Number(row.Model.BrierSkill.Value, "0.000") + ", " +
                                                    Form.Count(row.Model.Rows) + " forecasts";

        void Draw(Cairo.Context to, double width, double height)
        {
            if (horizons.Count == 0)
            {
                Chart.Write(to, 0, 30, "Nothing was trained yet.", Form.Quiet, 12);
                return;
            }
            int columns = horizons.Count > 1 ? 2 : 1, lines = (horizons.Count + columns - 1) / columns;
            double cellWidth = width / columns, cellHeight = height / lines;
            for (int i = 0; i < horizons.Count; i++)
            {
                double left = i % columns * cellWidth + 44, top = i / columns * cellHeight + 30;
                One(to, horizons[i], left, top, cellWidth - 76, cellHeight - 62);
            }
        }

        static void One(Cairo.Context to, HorizonTraining row, double left, double top, double width, double height)
        {
            Chart.Write(to, left, top - 12, Title(row), Form.Ink, 12, 0, true);
            var chart = new Chart(to, left, top, width, height);
            double most = 0.2;
            foreach (ReliabilityBin bin in row.Model.Bins) most = Math.Max(most, Math.Max(bin.Probability, double.IsNaN(bin.High) ? bin.Frequency : bin.High));
            most = Math.Min(1, Math.Ceiling(most * 5) / 5);
            chart.Range(0, most, 0, most);
            Func<double, string> percent = value => (100 * value).ToString("0") + " %";
            chart.Grid(4, 4, percent, percent);
            chart.Line("#9aa3b2", 1, 0, 0, most, most);
            long largest = row.Model.Bins.Count == 0 ? 1 : row.Model.Bins.Max(bin => bin.Count);
            foreach (ReliabilityBin bin in row.Model.Bins)
            {
                if (bin.Count == 0) continue;
                if (!double.IsNaN(bin.Low)) chart.Line(Form.Accent, 1.2, bin.Probability, bin.Low, bin.Probability, bin.High);
                chart.Point(Form.Accent, bin.Probability, bin.Frequency, 2.5 + 3 * Math.Sqrt((double)bin.Count / largest));
            }
            Chart.Write(to, left + width, top + height - 8, "said \u2192", Form.Quiet, 10, 1);
            Chart.Write(to, left + 6, top + 13, "\u2191 came true", Form.Quiet, 10);
        }
    }

    /// What came of forecasts: the ledger's own, and the walk-forward record.
    sealed class OutcomeView : VBox
    {
        const int Chosen = 5;
        readonly Drawing ledger, walk;
        readonly Label ledgerNote = Look.Wrapped(""), walkNote = Look.Wrapped("");
        LedgerEntry[] entries = new LedgerEntry[0];
        readonly List<double[]> steps = new List<double[]>(); // time, chosen, all: cumulated log returns
        TimeSpan horizon;
        double threshold;

        public OutcomeView() : base(false, 8)
        {
            ledger = new Drawing(DrawLedger);
            walk = new Drawing(DrawWalk);
            PackStart(Look.Text(Form.Markup("Forecasts of the ledger, written before their outcome", Form.Ink, "weight=\"bold\" size=\"large\"")), false, false, 0);
            PackStart(ledgerNote, false, false, 0);
            PackStart(ledger, true, true, 0);
            PackStart(Look.Text(Form.Markup("Walk-forward record", Form.Ink, "weight=\"bold\" size=\"large\"")), false, false, 0);
            PackStart(walkNote, false, false, 0);
            PackStart(walk, true, true, 0);
        }

        public IEnumerable<string> Texts() => new[] { ledgerNote.Text, walkNote.Text };

        public void Fill(Snapshot snapshot)
        {
            horizon = snapshot.Horizon;
            threshold = snapshot.Threshold;
            entries = snapshot.Ledger.Where(entry => entry.Horizon == horizon && !double.IsNaN(entry.Probability)).ToArray();
            long known = entries.LongCount(entry => entry.State == TargetState.Known);
            ledgerNote.Markup = Form.Markup(Form.Count(entries.Length) + " forecasts over " + Form.Horizon(horizon) + ": ", Form.Quiet) +
                                Form.Markup(entries.Count(e => e.State == TargetState.Known && e.Rises) + " rose", Form.Good, "weight=\"bold\"") + Form.Markup(", ", Form.Quiet) +
                                Form.Markup(entries.Count(e => e.State == TargetState.Known && !e.Rises) + " did not", Form.Bad, "weight=\"bold\"") +
                                Form.Markup(", " + (entries.Length - known) + " wait for their outcome or cannot know it.", Form.Quiet);
            Walk(snapshot.Walk);
            walkNote.Markup = Form.Markup("Every " + Form.Horizon(horizon) + " the " + Chosen + " coins with the highest expected return, net of costs, against all coins: sums of mean " +
                                          "log returns over " + steps.Count + " decisions that do not overlap. The gate would have shown " +
                                          Form.Count(snapshot.Walk.LongCount(row => row.Show == Reasons.None)) + " of " + Form.Count(snapshot.Walk.Count) + " forecasts.", Form.Quiet);
            ledger.QueueDraw();
            walk.QueueDraw();
        }

        // Decisions a horizon apart: the first of each span.
        void Walk(IReadOnlyList<WalkRow> rows)
        {
            steps.Clear();
            double chosen = 0, all = 0;
            DateTimeOffset next = DateTimeOffset.MinValue;
            foreach (IGrouping<DateTimeOffset, WalkRow> date in rows.GroupBy(row => row.Time).OrderBy(group => group.Key))
            {
                if (date.Key < next) continue;
                next = date.Key + horizon;
                chosen += date.OrderByDescending(row => row.ExpectedReturn).ThenBy(row => row.Coin, StringComparer.Ordinal).Take(Chosen).Average(row => row.LogReturn - row.Cost);
                all += date.Average(row => row.LogReturn);
                steps.Add(new[] { next.UtcTicks, chosen, all });
            }
        }

        static string Month(double ticks) => new DateTime((long)ticks, DateTimeKind.Utc).ToString("MMM yyyy", System.Globalization.CultureInfo.InvariantCulture);

        void DrawLedger(Cairo.Context to, double width, double height)
        {
            if (entries.Length == 0)
            {
                Chart.Write(to, 0, 30, "No forecast was written yet.", Form.Quiet, 12);
                return;
            }
            var chart = new Chart(to, 44, 8, width - 76, height - 34);
            double first = entries.Min(e => e.Decision.UtcTicks), last = entries.Max(e => e.Decision.UtcTicks);
            double pad = Math.Max(TimeSpan.FromDays(15).Ticks, 0.03 * (last - first));
            chart.Range(first - pad, last + pad, 0, 1);
            chart.Grid(4, 4, ticks => new DateTime((long)ticks, DateTimeKind.Utc).ToString("yyyy-MM-dd"), value => (100 * value).ToString("0") + " %");
            chart.Line(Form.Warn, 1, first - pad, threshold, last + pad, threshold);
            Chart.Write(to, width - 36, chart.Y(threshold) - 5, "the gate's threshold", Form.Warn, 10, 1);
            foreach (LedgerEntry entry in entries)
            {
                bool known = entry.State == TargetState.Known;
                chart.Point(known ? entry.Rises ? Form.Good : Form.Bad : Form.Quiet, entry.Decision.UtcTicks, entry.Probability, known ? 3.5 : 3, !known);
            }
        }

        void DrawWalk(Cairo.Context to, double width, double height)
        {
            if (steps.Count < 2)
            {
                Chart.Write(to, 0, 30, "No walk-forward record of this horizon.", Form.Quiet, 12);
                return;
            }
            var chart = new Chart(to, 44, 8, width - 76, height - 34);
            double least = Math.Min(0, steps.Min(s => Math.Min(s[1], s[2]))), most = Math.Max(0, steps.Max(s => Math.Max(s[1], s[2])));
            double step = most - least > 3 ? 1 : most - least > 1 ? 0.5 : 0.1;
            least = Math.Floor(least / step) * step;
            most = Math.Ceiling(most / step) * step;
            chart.Range(steps[0][0], steps[steps.Count - 1][0], least, most);
            chart.Grid(5, Math.Max(1, (int)Math.Round((most - least) / step)), Month, value => Form.Number(value, "0.0"));
            chart.Line("#9aa3b2", 1, steps[0][0], 0, steps[steps.Count - 1][0], 0);
            chart.Line(Form.Quiet, 1.6, steps.SelectMany(s => new[] { s[0], s[2] }).ToArray());
            chart.Line(Form.Accent, 2, steps.SelectMany(s => new[] { s[0], s[1] }).ToArray());
            Chart.Write(to, 56, 24, "\u25cf highest expected return", Form.Accent, 11);
            Chart.Write(to, 226, 24, "\u25cf all coins", Form.Quiet, 11);
        }
    }
}
