// SPDX-License-Identifier: MIT
using CryptoSmart;
using Gtk;

namespace Desktop
{
    /// The health score and its parts in one row.
    sealed class HealthBar : HBox
    {
        public HealthBar() : base(false, 18) { }

        public string Text { get; private set; } = "";

        public void Fill(Health health)
        {
            foreach (Widget child in Children) Remove(child);
            bool whole = !double.IsNaN(health.Score);
            double score = whole ? health.Score : health.Available;
            string colour = whole && health.Go ? Form.Good : whole ? Form.Bad : Form.Warn;
            string verdict = whole ? health.Go ? "go" : "no go" : "incomplete";
            var total = new VBox(false, 2);
            Text = "Health " + Form.Number(score);
            total.PackStart(Look.Text(Form.Markup("Health ", Form.Quiet) + Form.Markup(Form.Number(score), colour, "weight=\"bold\" size=\"x-large\"")), false, false, 0);
            total.PackStart(Look.Text(Form.Markup(verdict + ", go from " + Form.Number(health.GoAt), colour, "size=\"small\"")), false, false, 0);
            PackStart(total, false, false, 0);
            PackStart(new VSeparator(), false, false, 0);
            foreach (HealthPart part in health.Parts)
            {
                bool known = !double.IsNaN(part.Value);
                var box = new VBox(false, 3) { TooltipText = part.Text };
                box.PackStart(Look.Text(Form.Markup(part.Name, Form.Ink, "size=\"small\"")), false, false, 0);
                var bar = new ProgressBar { Fraction = known ? System.Math.Max(0, System.Math.Min(1, part.Value)) : 0 };
                bar.With(part.Value >= 0.6 ? "high" : part.Value >= 0.3 ? "middle" : "low");
                box.PackStart(bar, false, false, 0);
                string value = known ? Form.Number(part.Value) : "not known yet";
                box.PackStart(Look.Text(Form.Markup(value + "  \u00d7 " + Form.Number(part.Weight), Form.Quiet, "size=\"small\"")), false, false, 0);
                PackStart(box, true, true, 0);
            }
            ShowAll();
        }
    }
}
