// SPDX-License-Identifier: MIT
// check.exe WORKSPACE FOLDER LEDGER_ROWS_BEFORE: what the desktop program showed (FOLDER/texts, FOLDER/*.png) against what the ledger holds.
// Writes the ledger's number of rows.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using CryptoSmart;

static class DesktopCheck
{
    static void That(bool condition, string what)
    {
        if (!condition) throw new Exception(what);
    }

    static int Main(string[] arguments)
    {
        try
        {
            Look(arguments[0], arguments[1], long.Parse(arguments[2]));
            return 0;
        }
        catch (Exception error)
        {
            Console.Error.WriteLine("desktop: " + error.Message);
            return 1;
        }
    }

    static void Look(string path, string folder, long before)
    {
        ILookup<string, string> texts = File.ReadAllLines(Path.Combine(folder, "texts")).Where(line => line.IndexOf('\t') > 0)
                                            .ToLookup(line => line.Substring(0, line.IndexOf('\t')), line => line.Substring(line.IndexOf('\t') + 1));
        using (var context = new Context())
        using (var workspace = new Workspace(context, path))
        {
            IReadOnlyList<LedgerEntry> ledger = workspace.Ledger.History();
            DateTimeOffset newest = ledger.Max(entry => entry.Decision);
            LedgerEntry[] run = ledger.Where(entry => entry.Decision == newest).ToArray();
            Rows(texts["ranking"].ToArray(), run);
            string status = texts["status"].Single();
            That(status.Contains("ledger " + workspace.Ledger.Head().Rows.ToString("#,##0") + " rows"), "status line: " + status);
            long rows = workspace.Ledger.Head().Rows;
            That(rows > before, "the ledger has " + rows + " rows, as before");
            Console.WriteLine(rows);
        }
        foreach (Option option in Config.Options)
            That(texts["settings"].Any(line => line.StartsWith(option.Name + "\t", StringComparison.Ordinal)), "no setting " + option.Name);
        That(texts["detail"].First().Length > 0, "no coin is explained");
        That(texts["reliability"].Any(line => line.Contains("Brier skill")), "no reliability diagram");
        string[] pictures = { "ranking", "reliability", "outcomes", "settings" };
        foreach (string picture in pictures) Picture(Path.Combine(folder, picture + ".png"));
        That(pictures.Select(p => Convert.ToBase64String(File.ReadAllBytes(Path.Combine(folder, p + ".png")))).Distinct().Count() == pictures.Length,
             "two pages look the same");
    }

    // Each coin of the newest run has one row with the probabilities that the ledger holds, shortest horizon first.
    static void Rows(string[] lines, LedgerEntry[] run)
    {
        string[][] rows = lines.Where(line => line.Contains("\t")).Select(line => line.Split('\t')).ToArray();
        IGrouping<string, LedgerEntry>[] coins = run.GroupBy(entry => entry.Coin).ToArray();
        That(coins.Length >= 20, "the ledger's newest run holds " + coins.Length + " coins");
        That(rows.Length == coins.Length, rows.Length + " rows for " + coins.Length + " coins");
        foreach (IGrouping<string, LedgerEntry> coin in coins)
        {
            string[] row = rows.Single(cells => cells[1] == coin.Key);
            int column = 3;
            foreach (LedgerEntry entry in coin.OrderBy(entry => entry.Horizon))
            {
                string wanted = double.IsNaN(entry.Probability)
                    ? "\u2013" : (100 * entry.Probability).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture) + " %";
                That(row[column] == wanted, coin.Key + " over " + entry.Horizon + ": the window says " + row[column] + ", the ledger " + wanted);
                column++;
            }
        }
        bool none = run.All(entry => entry.Show != Reasons.None);
        That(none == (lines[0] == "No reliable opportunities"), "headline: " + lines[0]);
        That(!none || lines.Skip(2).TakeWhile(line => !line.Contains("\t")).Any(), "nothing is said of why");
    }

    // Not blank: many colours, and none that fills nearly all of it.
    static void Picture(string path)
    {
        using (var pixels = new Gdk.Pixbuf(path))
        {
            That(pixels.Width >= 1000 && pixels.Height >= 600, path + " is " + pixels.Width + " x " + pixels.Height);
            var line = new byte[pixels.Width * pixels.NChannels];
            var counts = new Dictionary<int, int>();
            for (int y = 0; y < pixels.Height; y++)
            {
                Marshal.Copy(IntPtr.Add(pixels.Pixels, y * pixels.Rowstride), line, 0, line.Length);
                for (int x = 0; x < pixels.Width; x++)
                {
                    int colour = line[x * pixels.NChannels] << 16 | line[x * pixels.NChannels + 1] << 8 | line[x * pixels.NChannels + 2];
                    int count;
                    counts.TryGetValue(colour, out count);
                    counts[colour] = count + 1;
                }
            }
            That(counts.Count > 100, path + " has " + counts.Count + " colours only");
            That(counts.Values.Max() < 0.9 * pixels.Width * pixels.Height, path + " is nearly blank");
        }
    }
}
