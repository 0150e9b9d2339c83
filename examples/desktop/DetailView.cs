// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using CryptoSmart;
using Gtk;

namespace Desktop
{
    /// One coin: its forecasts over all horizons, and which features moved the score.
    sealed class DetailView : VBox
    {
        const int Bars = 8; // at least; more where there is room
        readonly Label coin = Look.Text("").With("headline");
        readonly Label market = Look.Text("");
        readonly Label note = Look.Wrapped(""), stops = Look.Wrapped("");
        readonly Grid horizons = new Grid { ColumnSpacing = 14, RowSpacing = 4 };
        readonly Drawing bars;
        Explanation explanation;
        string waiting = "";

        public DetailView() : base(false, 10)
        {
            var head = new VBox(false, 4);
            head.PackStart(coin, false, false, 0);
            head.PackStart(market, false, false, 0);
            head.PackStart(horizons, false, false, 6);
            head.PackStart(stops, false, false, 0);
            PackStart(Look.Card(head), false, false, 0);
            var why = new VBox(false, 4);
            why.PackStart(Look.Text(Form.Markup("What moved the score", Form.Ink, "weight=\"bold\"")), false, false, 0);
            why.PackStart(note, false, false, 0);
            bars = new Drawing(Draw) { HeightRequest = Bars * 24 + 30 };
            why.PackStart(bars, true, true, 0);
            PackStart(Look.Card(why), true, true, 0);
        }

        public IEnumerable<string> Texts()
        {
            yield return coin.Text;
            yield return market.Text;
            yield return stops.Text;
            yield return note.Text;
            if (explanation != null)
                foreach (Contribution row in explanation.Contributions.Take(Bars)) yield return row.Feature;
        }

        public bool Ready => explanation != null;

        public void Fill(Forecast row)
        {
            explanation = null;
            waiting = row == null ? "" : "asking the model\u2026";
            note.Markup = "";
            coin.Text = row == null ? "" : row.Coin;
            stops.Markup = row == null ? "" : row.Show == Reasons.None
                ? Form.Markup("It passed the gate.", Form.Good)
                : Form.Markup("Stopped by: ", Form.Quiet) + Form.Markup(string.Join(", ", row.Show.Describe().Select(r => r.Value)), Form.Bad);
            market.Markup = row == null ? "" : Form.Markup(row.Market + "   " + Form.Price(row.Price) + "   last trade " + Form.Time(row.LastUpdate), Form.Quiet);
            foreach (Widget child in horizons.Children) horizons.Remove(child);
            string[] titles = { "Horizon", "Probability", "At least", "Expected", "90 % interval", "Cost" };
            for (int i = 0; row != null && i < titles.Length; i++)
                horizons.Attach(Look.Text(Form.Markup(titles[i], Form.Quiet, "size=\"small\""), i == 0 ? 0 : 1), i, 0, 1, 1);
            for (int line = 0; row != null && line < row.Horizons.Count; line++)
            {
                HorizonForecast horizon = row.Horizons[line];
                string[] cells =
                {
                    Form.Horizon(horizon.Horizon), Form.Probability(horizon.Probability), Form.Probability(horizon.Lower),
                    Form.Change(horizon.ExpectedReturn), Form.Interval(horizon.Low, horizon.High), Form.Probability(horizon.Cost),
                };
                for (int i = 0; i < cells.Length; i++)
                    horizons.Attach(Look.Text(Form.Markup(cells[i], Form.Ink, i == 1 ? "weight=\"bold\"" : ""), i == 0 ? 0 : 1), i, line + 1, 1, 1);
            }
            horizons.ShowAll();
            bars.QueueDraw();
        }

        public void Explain(Explanation found, string failure)
        {
            explanation = found;
            waiting = failure ?? "";
            if (found != null)
            {
                MemberForecast member = found.Horizon.Members.FirstOrDefault(m => m.Name == found.Horizon.Explained);
                note.Markup = member == null
                    ? Form.Markup(found.Horizon.Members.Count == 0 ? "There is no forecast to explain." : "No member can be explained feature by feature.", Form.Quiet)
                    : Form.Markup("Member \u201c" + member.Name + "\u201d over " + Form.Horizon(found.Horizon.Horizon) + ": from the mean score " + Form.Number(found.Base) +
                                  " to " + Form.Number(member.Score) + ", in log-odds." + (found.Horizon.Members.Count < 2 ? "" : " Others: ") +
                                  string.Join(", ", found.Horizon.Members.Where(m => m != member).Select(m => m.Name + " " + Form.Number(m.Score))), Form.Quiet, "size=\"small\"");
            }
            bars.QueueDraw();
        }

        void Draw(Cairo.Context to, double width, double height)
        {
            if (explanation == null)
            {
                Chart.Write(to, 0, 20, waiting, Form.Quiet);
                return;
            }
            Contribution[] rows = explanation.Contributions.Take(Math.Max(Bars, (int)((height - 24) / 24))).ToArray();
            if (rows.Length == 0) return;
            double most = rows.Max(row => Math.Abs(row.Amount)), name = 165, number = 46, step = Math.Min(26, (height - 24) / rows.Length);
            double middle = name + number + (width - name - 2 * number) / 2, half = (width - name - 2 * number) / 2;
            for (int i = 0; i < rows.Length; i++)
            {
                double y = i * step + 4, length = most > 0 ? half * Math.Abs(rows[i].Amount) / most : 0;
                bool up = rows[i].Amount >= 0;
                Chart.Write(to, 0, y + 13, rows[i].Feature, Form.Ink, 11);
                Chart.Colour(to, up ? Form.Good : Form.Bad, 0.85);
                to.Rectangle(up ? middle : middle - length, y + 2, Math.Max(1, length), step - 9);
                to.Fill();
                string text = Form.Number(rows[i].Amount, "+0.000;-0.000");
                Chart.Write(to, up ? middle + length + 5 : middle - length - 5, y + 13, text, Form.Quiet, 10, up ? 0 : 1);
            }
            Chart.Colour(to, "#c6ccd6");
            to.LineWidth = 1;
            to.MoveTo(middle, 2);
            to.LineTo(middle, rows.Length * step + 2);
            to.Stroke();
            Chart.Write(to, middle - 8, rows.Length * step + 18, "\u2190 less likely to rise", Form.Quiet, 10, 1);
            Chart.Write(to, middle + 8, rows.Length * step + 18, "more likely \u2192", Form.Quiet, 10);
        }
    }
}
