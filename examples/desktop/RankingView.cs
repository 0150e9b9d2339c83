// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using CryptoSmart;
using Gtk;

namespace Desktop
{
    /// What passed the gate, or that nothing did and why, above everything that was considered.
    sealed class RankingView : VBox
    {
        readonly Label headline = Look.Text("").With("headline");
        readonly Label subtitle = Look.Text("");
        readonly VBox funnel = new VBox(false, 3);
        readonly TreeView table = new TreeView { EnableSearch = true, SearchColumn = 1 };
        ListStore rows;
        Forecast[] order = new Forecast[0];

        public RankingView() : base(false, 10)
        {
            var head = new VBox(false, 4);
            head.PackStart(headline, false, false, 0);
            head.PackStart(subtitle, false, false, 0);
            head.PackStart(funnel, false, false, 4);
            PackStart(Look.Card(head), false, false, 0);
            var scroll = new ScrolledWindow { HscrollbarPolicy = PolicyType.Automatic };
            scroll.Add(table);
            PackStart(Look.Card(scroll, 1), true, true, 0);
            table.CursorChanged += (sender, arguments) => Selected?.Invoke(this, EventArgs.Empty);
        }

        /// Another coin was chosen.
        public event EventHandler Selected;

        public Forecast Current
        {
            get
            {
                TreePath path;
                TreeViewColumn column;
                table.GetCursor(out path, out column);
                return path != null && path.Indices[0] < order.Length ? order[path.Indices[0]] : null;
            }
        }

        public void Select(int index) => table.SetCursor(new TreePath(new[] { index }), null, false);

        /// Texts as the widgets show them: the headline, then a line a row with tabulators.
        public IEnumerable<string> Texts()
        {
            yield return headline.Text;
            yield return subtitle.Text;
            foreach (Widget child in funnel.Children) yield return ((Label)child).Text;
            if (rows == null) yield break;
            TreeIter row;
            for (bool more = rows.GetIterFirst(out row); more; more = rows.IterNext(ref row))
                yield return string.Join("\t", Enumerable.Range(0, rows.NColumns - 1).Select(i => (string)rows.GetValue(row, i)));
        }

        public void Fill(Snapshot snapshot)
        {
            string coin = Current?.Market;
            foreach (Widget child in funnel.Children) funnel.Remove(child);
            Ranking ranking = snapshot.Ranking;
            if (ranking == null)
            {
                Empty("Nothing was trained yet",
                      "Run the cycle, or train on what the workspace holds: " + Form.Count(snapshot.Status.Rows) + " records.");
                return;
            }
            int shown = ranking.Shown.Count, all = ranking.All.Count;
            headline.Text = shown == 0 ? "No reliable opportunities" : shown == 1 ? "1 coin passed the gate" : shown + " coins passed the gate";
            subtitle.Markup = Form.Markup((snapshot.FromLedger ? "Run of " : "No run of this model yet; as of ") + Form.Time(snapshot.AsOf) + ": " + all + " coins considered, " +
                                          (all - shown) + " fell" + (shown == 0 && ranking.All.Any(row => Number(row.At(snapshot.Horizon)?.Probability) >= 0) ? ", which is the normal result." : "."), Form.Quiet);
            foreach (FunnelStep step in ranking.Funnel)
            {
                if (step.Failed == 0) continue;
                funnel.PackStart(Look.Text(Form.Markup(step.Fell.ToString().PadLeft(3, '\u2007'), step.Fell > 0 ? Form.Bad : Form.Quiet, "weight=\"bold\"") + "  " +
                                            Form.Markup(Form.Words(step.Name), Form.Ink) + Form.Markup("  " + step.Text, Form.Quiet) +
                                            (step.Failed > step.Fell ? Form.Markup("  (" + step.Failed + " fail it in all)", Form.Quiet) : "")), false, false, 0);
            }
            funnel.ShowAll();
            var passed = new HashSet<string>(ranking.Shown.Select(row => row.Market));
            order = ranking.Shown.Concat(ranking.All.Where(row => !passed.Contains(row.Market))
                                                    .OrderByDescending(row => Number(row.At(snapshot.Horizon)?.Probability))
                                                    .ThenBy(row => row.Coin, StringComparer.Ordinal)).ToArray();
            Columns(snapshot);
            foreach (Forecast row in order) rows.AppendValues(Cells(row, snapshot, passed.Contains(row.Market)).Cast<object>().ToArray());
            table.Model = rows;
            int index = Array.FindIndex(order, row => row.Market == coin);
            if (order.Length > 0) Select(Math.Max(0, index));
        }

        /// Instead of a ranking.
        public void Empty(string title, string text)
        {
            headline.Text = title;
            subtitle.Markup = Form.Markup(text, Form.Quiet);
            subtitle.LineWrap = true;
        }

        static double Number(double? value) => value.HasValue && !double.IsNaN(value.Value) ? value.Value : -1;

        void Columns(Snapshot snapshot)
        {
            foreach (TreeViewColumn old in table.Columns) table.RemoveColumn(old);
            TimeSpan[] horizons = snapshot.Ranking.All.Count == 0 ? new TimeSpan[0] : snapshot.Ranking.All[0].Horizons.Select(h => h.Horizon).ToArray();
            var titles = new List<string> { "#", "Coin", "Price" };
            titles.AddRange(horizons.Select(h => "P " + Form.Horizon(h)));
            titles.AddRange(new[] { "Expected " + Form.Horizon(snapshot.Horizon), "90 % interval", "Evidence", "What stops it" });
            // every cell is text; the last column of the model is the row's colour
            rows = new ListStore(titles.Concat(new[] { "colour" }).Select(title => typeof(string)).ToArray());
            for (int i = 0; i < titles.Count; i++)
            {
                bool text = i == 1 || i >= titles.Count - 2;
                bool gate = titles[i] == "P " + Form.Horizon(snapshot.Horizon);
                var cell = new CellRendererText { Xalign = text ? 0 : 1, Xpad = 5, Ypad = 5, Weight = i == 1 || gate ? 700 : 400 };
                var column = new TreeViewColumn(titles[i], cell, "text", i, "foreground", titles.Count) { Alignment = text ? 0 : 1, Resizable = true };
                column.Expand = i == titles.Count - 1;
                table.AppendColumn(column);
            }
        }

        IEnumerable<string> Cells(Forecast row, Snapshot snapshot, bool passed)
        {
            HorizonForecast gate = row.At(snapshot.Horizon);
            yield return (Array.IndexOf(order, row) + 1).ToString();
            yield return row.Coin;
            yield return Form.Price(row.Price);
            foreach (HorizonForecast horizon in row.Horizons) yield return Form.Probability(horizon.Probability);
            yield return Form.Change(gate == null ? double.NaN : gate.ExpectedReturn);
            yield return gate == null ? Form.Missing : Form.Interval(gate.Low, gate.High);
            yield return gate == null ? Form.Missing : gate.Evidence.ToString().ToLowerInvariant();
            string[] reasons = row.Show.Describe().Select(reason => Form.Words(reason.Key).ToLowerInvariant()).ToArray();
            yield return passed ? "nothing: shown" : reasons[0] + (reasons.Length > 1 ? " and " + (reasons.Length - 1) + " more" : "");
            yield return passed ? Form.Good : Form.Ink;
        }
    }
}
