// SPDX-License-Identifier: MIT
using System;
using System.Globalization;

namespace Desktop
{
    /// Numbers as texts, and the colours.
    static class Form
    {
        public const string Good = "#1a7f4b", Bad = "#b3362b", Warn = "#9a6700", Quiet = "#6b7280", Accent = "#1d4ed8", Ink = "#1f2937";
        public const string Missing = "\u2013";

        static readonly CultureInfo plain = CultureInfo.InvariantCulture;

        public static string Probability(double value) => double.IsNaN(value) ? Missing : (100 * value).ToString("0.0", plain) + " %";

        /// A log return as a change of price.
        public static string Change(double logReturn) =>
            double.IsNaN(logReturn) ? Missing : (100 * (Math.Exp(logReturn) - 1)).ToString("+0.0;\u22120.0;0.0", plain) + " %";

        public static string Interval(double low, double high) =>
            double.IsNaN(low) || double.IsNaN(high) ? Missing : Change(low).Replace(" %", "") + " \u2026 " + Change(high);

        public static string Price(double value)
        {
            if (double.IsNaN(value)) return Missing;
            if (value >= 1000) return value.ToString("#,##0.00", plain);
            return value >= 1 ? value.ToString("0.00##", plain) : value.ToString("0.00######", plain);
        }

        public static string Number(double value, string format = "0.00") => double.IsNaN(value) ? Missing : value.ToString(format, plain).Replace("-", "\u2212");

        public static string Count(long value) => value.ToString("#,##0", plain);

        public static string Time(DateTimeOffset? time) => time.HasValue ? time.Value.UtcDateTime.ToString("yyyy-MM-dd HH:mm", plain) + " UTC" : "never";

        public static string Horizon(TimeSpan span)
        {
            if (span.TotalHours < 24 || span.TotalHours % 24 != 0) return span.TotalHours.ToString("0.#", plain) + " h";
            return span.TotalHours == 24 ? "24 h" : span.TotalDays.ToString("0", plain) + " d";
        }

        public static string Age(TimeSpan age)
        {
            if (age.TotalDays >= 2) return Count((long)age.TotalDays) + " days";
            if (age.TotalHours >= 2) return Count((long)age.TotalHours) + " hours";
            return Count(Math.Max(0, (long)age.TotalMinutes)) + " minutes";
        }

        /// "PROBABILITY_LOW" as a person would write it.
        public static string Words(string name) => name.Substring(0, 1) + name.Substring(1).ToLowerInvariant().Replace('_', ' ');

        public static string Markup(string text, string colour = null, string attributes = "") =>
            "<span" + (colour == null ? "" : " foreground=\"" + colour + "\"") + (attributes == "" ? "" : " " + attributes) + ">" +
            GLib.Markup.EscapeText(text) + "</span>";
    }
}
