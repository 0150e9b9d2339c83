// SPDX-License-Identifier: MIT
using Gtk;

namespace Desktop
{
    static class Look
    {
        const string sheet = @"
* { font-family: 'Inter', 'Cantarell', 'Liberation Sans', 'DejaVu Sans', sans-serif; font-size: 10pt; }
window { background-color: #f3f5f8; color: #1f2937; }
.top { background-color: #ffffff; border-bottom: 1px solid #e2e6ec; }
.card { background-color: #ffffff; border: 1px solid #e2e6ec; border-radius: 8px; }
.title { font-size: 14pt; font-weight: bold; }
.headline { font-size: 13pt; font-weight: bold; }
.quiet { color: #6b7280; font-size: 9pt; }
.warn { background-color: #fff8e6; border: 1px solid #f0d48a; border-radius: 6px; color: #7a5200; }
notebook { background-color: #f3f5f8; border: none; }
notebook > header { background-color: #f3f5f8; border: none; }
notebook > header tab { padding: 6px 16px; color: #6b7280; border: none; background: none; }
notebook > header tab:checked { color: #1d4ed8; font-weight: bold; box-shadow: inset 0 -2px #1d4ed8; }
notebook > stack { background-color: #f3f5f8; }
treeview.view { background-color: #ffffff; color: #1f2937; }
treeview.view:selected { background-color: #dbe6fd; color: #1f2937; }
treeview.view header button { background: #f8f9fb; color: #6b7280; font-size: 9pt; font-weight: normal; border: none; border-bottom: 1px solid #e2e6ec; padding: 6px 9px; border-radius: 0; }
progressbar trough { min-height: 6px; border-radius: 3px; background-color: #e8ebf0; border: none; }
progressbar progress { min-height: 6px; border-radius: 3px; background-color: #1d4ed8; background-image: none; border: none; }
progressbar.low progress { background-color: #b3362b; }
progressbar.middle progress { background-color: #d69e2e; }
progressbar.high progress { background-color: #1a7f4b; }
button { padding: 5px 14px; background-image: none; background-color: #ffffff; border: 1px solid #d3d9e2; border-radius: 6px; color: #1f2937; box-shadow: none; text-shadow: none; }
button:hover { background-color: #f3f5f8; }
button:disabled { color: #a3aab5; background-color: #f8f9fb; }
button.go { background-color: #1d4ed8; border-color: #1d4ed8; color: #ffffff; }
button.go:hover { background-color: #1e40af; }
button.go:disabled { background-color: #b9c7ee; border-color: #b9c7ee; color: #ffffff; }
button.go label { color: #ffffff; }
entry { border-radius: 6px; box-shadow: none; }
scrolledwindow { background-color: #ffffff; border: none; }
separator { background-color: #e2e6ec; }
";

        public static void Apply()
        {
            var provider = new CssProvider();
            provider.LoadFromData(sheet);
            StyleContext.AddProviderForScreen(Gdk.Screen.Default, provider, 600); // GTK_STYLE_PROVIDER_PRIORITY_APPLICATION
        }

        public static T With<T>(this T widget, string style) where T : Widget
        {
            widget.StyleContext.AddClass(style);
            return widget;
        }

        public static Label Text(string markup, float align = 0)
        {
            var label = new Label { Markup = markup, Xalign = align, UseMarkup = true };
            return label;
        }

        public static Label Wrapped(string markup)
        {
            Label label = Text(markup);
            label.LineWrap = true;
            label.WidthChars = 20;
            label.MaxWidthChars = 30; // asks for no more; it gets what its box has
            return label;
        }

        /// A white box with a border around `content`.
        public static Widget Card(Widget content, uint padding = 12)
        {
            var frame = new EventBox().With("card");
            var inside = new Alignment(0, 0, 1, 1) { LeftPadding = padding, RightPadding = padding, TopPadding = padding, BottomPadding = padding };
            inside.Add(content);
            frame.Add(inside);
            return frame;
        }
    }
}
