// SPDX-License-Identifier: MIT
// cryptosmart-desktop [WORKSPACE] [--settings FILE] [--picture FOLDER [--set NAME=VALUE] [--run WORK] [--cancel]]
//   WORKSPACE          folder to look at; "cryptosmart" in the user's data folder when absent
//   --settings FILE    YAML file of settings instead of the user's own
//   --picture FOLDER   for tests: writes each page as FOLDER/N.png and all texts as FOLDER/texts, then ends
//   --set NAME=VALUE   before that, changes and saves a setting as if it had been typed
//   --run WORK         before that, runs whole, predict or train in the background; --cancel cancels it at once
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using Gtk;

namespace Desktop
{
    static class Program
    {
        static readonly string[] pages = { "ranking", "reliability", "outcomes", "settings" };

        static int Main(string[] arguments)
        {
            string workspace = null, picture = null;
            Work? work = null;
            Work named;
            string settings = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "cryptosmart", "desktop.yaml");
            for (int i = 0; i < arguments.Length; i++)
            {
                if (arguments[i] == "--picture" && i + 1 < arguments.Length) picture = arguments[++i];
                else if (arguments[i] == "--run" && i + 1 < arguments.Length && Enum.TryParse(arguments[i + 1], true, out named))
                {
                    work = named;
                    i++;
                }
                else if (arguments[i] == "--set" && i + 1 < arguments.Length && arguments[i + 1].IndexOf('=') > 0) set = arguments[++i].Split(new[] { '=' }, 2);
                else if (arguments[i] == "--cancel") cancel = true;
                else if (arguments[i] == "--settings" && i + 1 < arguments.Length) settings = Path.GetFullPath(arguments[++i]);
                else if (workspace == null && !arguments[i].StartsWith("-", StringComparison.Ordinal)) workspace = Path.GetFullPath(arguments[i]);
                else
                {
                    Console.Error.WriteLine("usage: cryptosmart-desktop [WORKSPACE] [--settings FILE] [--picture FOLDER [--set NAME=VALUE] [--run WORK] [--cancel]]");
                    return 2;
                }
            }
            workspace = workspace ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "cryptosmart");
            var none = new string[0];
            if (!Application.InitCheck("cryptosmart-desktop", ref none))
            {
                Console.Error.WriteLine("cryptosmart-desktop: there is no display");
                return 1;
            }
            Look.Apply();
            using (var desk = new Desk(workspace, settings))
            {
                var window = new MainWindow(desk);
                window.ShowAll();
                window.Reload();
                int code = 0;
                if (picture != null) GLib.Timeout.Add(100, () => !Taken(window, picture, ref work, ref code));
                Application.Run();
                return code;
            }
        }

        static bool cancel;
        static string[] set;
        static int page;
        static int waited;

        // Every page has a while to be drawn before it is taken.
        static bool Taken(MainWindow window, string folder, ref Work? work, ref int code)
        {
            if (window.Loaded && set != null)
            {
                window.SettingsPage.Change(set[0], set[1]);
                window.SettingsPage.Save();
                set = null;
                return false;
            }
            if (window.Loaded && work.HasValue)
            {
                window.Start(work.Value);
                if (cancel) window.Cancel();
                work = null;
            }
            if (window.Failure != null)
            {
                Console.Error.WriteLine("cryptosmart-desktop: " + window.Failure);
                code = 1;
                Application.Quit();
                return true;
            }
            if (!window.Loaded || window.Working || waited++ % 6 != 5) return false;
            Take(window, Path.Combine(folder, pages[page] + ".png"));
            if (++page < pages.Length)
            {
                window.Page(page);
                return false;
            }
            File.WriteAllLines(Path.Combine(folder, "texts"), Texts(window));
            Application.Quit();
            return true;
        }

        static IEnumerable<string> Texts(MainWindow window)
        {
            yield return "health\t" + window.HealthBar.Text;
            yield return "status\t" + window.StatusText;
            yield return "doing\t" + window.Doing;
            foreach (string text in window.Ranking.Texts()) yield return "ranking\t" + text;
            foreach (string text in window.Detail.Texts()) yield return "detail\t" + text;
            foreach (string text in window.Reliability.Texts()) yield return "reliability\t" + text;
            foreach (string text in window.Outcomes.Texts()) yield return "outcomes\t" + text;
            foreach (string text in window.SettingsPage.Texts()) yield return "settings\t" + text;
        }

        [DllImport("libgdk-3.so.0")]
        static extern IntPtr gdk_pixbuf_get_from_window(IntPtr window, int x, int y, int width, int height);

        // What the display shows of the window.
        static void Take(MainWindow window, string path)
        {
            using (var pixels = new Gdk.Pixbuf(gdk_pixbuf_get_from_window(window.Window.Handle, 0, 0, window.AllocatedWidth, window.AllocatedHeight)))
                pixels.Save(path, "png");
        }
    }
}
