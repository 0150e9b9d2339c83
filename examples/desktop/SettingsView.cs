// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using CryptoSmart;
using Gtk;

namespace Desktop
{
    /// Every setting of the library, checked by the library, kept in the user's YAML file.
    sealed class SettingsView : VBox
    {
        readonly Desk desk;
        readonly ListStore rows = new ListStore(typeof(string), typeof(string), typeof(string), typeof(string), typeof(int));
        readonly Label message = Look.Wrapped("");
        readonly EventBox messageBox = new EventBox().With("warn");
        readonly Button save = new Button("Save") { Sensitive = false };
        Config config;

        public SettingsView(Desk desk) : base(false, 8)
        {
            this.desk = desk;
            var head = new HBox(false, 10);
            var titles = new VBox(false, 2);
            titles.PackStart(Look.Text(Form.Markup("Settings", Form.Ink, "weight=\"bold\" size=\"large\"")), false, false, 0);
            titles.PackStart(Look.Text(Form.Markup("Kept in " + desk.Settings + ". Click a value to change it; bold ones differ from the default.", Form.Quiet)), false, false, 0);
            head.PackStart(titles, true, true, 0);
            head.PackEnd(save.With("go"), false, false, 0);
            PackStart(head, false, false, 0);
            messageBox.Add(new Alignment(0, 0, 1, 1) { LeftPadding = 10, RightPadding = 10, TopPadding = 6, BottomPadding = 6, Child = message });
            messageBox.NoShowAll = true;
            PackStart(messageBox, false, false, 0);
            var table = new TreeView(rows) { EnableSearch = true, SearchColumn = 0 };
            table.AppendColumn("Setting", new CellRendererText { Ypad = 4, Xpad = 5 }, "text", 0);
            var value = new CellRendererText { Editable = true, Ypad = 4, Xpad = 5, Foreground = Form.Accent, Ellipsize = Pango.EllipsizeMode.End };
            value.Edited += Edited;
            var values = new TreeViewColumn("Value", value, "text", 1, "weight", 4) { Resizable = true, MinWidth = 240 };
            table.AppendColumn(values);
            var standard = new CellRendererText { Ypad = 4, Xpad = 5, Foreground = Form.Quiet, Ellipsize = Pango.EllipsizeMode.End };
            table.AppendColumn(new TreeViewColumn("Default", standard, "text", 2) { Resizable = true, MinWidth = 180 });
            table.AppendColumn("Meaning", new CellRendererText { Ypad = 4, Xpad = 5 }, "text", 3);
            var scroll = new ScrolledWindow();
            scroll.Add(table);
            PackStart(Look.Card(scroll, 1), true, true, 0);
            save.Clicked += (sender, arguments) => Save();
            Reload();
        }

        /// Settings were saved.
        public event EventHandler Saved;

        public IEnumerable<string> Texts()
        {
            yield return "message\t" + message.Text;
            TreeIter row;
            for (bool more = rows.GetIterFirst(out row); more; more = rows.IterNext(ref row))
                yield return (string)rows.GetValue(row, 0) + "\t" + (string)rows.GetValue(row, 1);
        }

        void Say(string text)
        {
            message.Text = text;
            messageBox.Visible = text.Length > 0;
            if (text.Length > 0) messageBox.Child.ShowAll();
        }

        void Reload()
        {
            config?.Dispose();
            try
            {
                config = desk.NewConfig();
                Say("");
            }
            catch (CryptoSmartException error)
            {
                config = new Config();
                Say("The settings file is wrong, so these are the defaults:\n" + error.Message);
            }
            rows.Clear();
            foreach (Option option in Config.Options)
            {
                string value = config[option.Name];
                rows.AppendValues(option.Name, value, option.Standard, option.Text, value == option.Standard ? 400 : 700);
            }
        }

        void Edited(object sender, EditedArgs arguments)
        {
            TreeIter row;
            if (rows.GetIterFromString(out row, arguments.Path)) Change(row, arguments.NewText);
        }

        /// As if it had been typed.
        public void Change(string name, string text)
        {
            TreeIter row;
            for (bool more = rows.GetIterFirst(out row); more; more = rows.IterNext(ref row))
                if ((string)rows.GetValue(row, 0) == name) Change(row, text);
        }

        void Change(TreeIter row, string text)
        {
            var name = (string)rows.GetValue(row, 0);
            try
            {
                config[name] = text;
            }
            catch (CryptoSmartException error)
            {
                Say(error.Message);
                return;
            }
            Say("");
            string value = config[name];
            rows.SetValue(row, 1, value);
            rows.SetValue(row, 4, value == (string)rows.GetValue(row, 2) ? 400 : 700);
            save.Sensitive = true;
        }

        // Only what differs from the defaults, section by section; the library reads it back before it replaces the file.
        public void Save()
        {
            var lines = new List<string> { "# settings of the desktop program that differ from the defaults" };
            foreach (IGrouping<string, Option> section in Config.Options.Where(o => config[o.Name] != o.Standard).GroupBy(o => o.Name.Split('.')[0]))
            {
                lines.Add(section.Key + ":");
                foreach (Option option in section)
                {
                    string value = config[option.Name];
                    string quoted = option.Type == OptionType.List
                        ? "[" + string.Join(", ", value.Split(',').Select(part => "\"" + part.Trim() + "\"")) + "]"
                        : option.Type == OptionType.Text || option.Type == OptionType.Duration ? "\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"" : value;
                    lines.Add("  " + option.Name.Substring(section.Key.Length + 1) + ": " + quoted);
                }
            }
            string text = string.Join("\n", lines) + "\n";
            try
            {
                using (var check = new Config()) check.Parse(text, desk.Settings);
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(desk.Settings));
                File.WriteAllText(desk.Settings + ".new", text);
                File.Delete(desk.Settings);
                File.Move(desk.Settings + ".new", desk.Settings);
            }
            catch (Exception error) when (error is CryptoSmartException || error is IOException || error is UnauthorizedAccessException)
            {
                Say("Not saved: " + error.Message);
                return;
            }
            save.Sensitive = false;
            Saved?.Invoke(this, EventArgs.Empty);
        }
    }
}
