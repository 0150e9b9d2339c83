// SPDX-License-Identifier: MIT
using System;
using Cairo;
using Gtk;

namespace Desktop
{
    /// Axes, lines and points in a rectangle of a drawing.
    sealed class Chart
    {
        readonly Context to;
        readonly double left, top, width, height;
        double x0, x1, y0, y1;

        public Chart(Context context, double left, double top, double width, double height)
        {
            to = context;
            this.left = left;
            this.top = top;
            this.width = width;
            this.height = height;
        }

        public static void Colour(Context to, string colour, double alpha = 1)
        {
            int value = System.Convert.ToInt32(colour.Substring(1), 16);
            to.SetSourceRGBA((value >> 16) / 255.0, (value >> 8 & 255) / 255.0, (value & 255) / 255.0, alpha);
        }

        public static void Write(Context to, double x, double y, string text, string colour, double size = 11, double align = 0, bool bold = false)
        {
            to.SelectFontFace("sans-serif", FontSlant.Normal, bold ? FontWeight.Bold : FontWeight.Normal);
            to.SetFontSize(size);
            Colour(to, colour);
            to.MoveTo(x - align * to.TextExtents(text).XAdvance, y);
            to.ShowText(text);
        }

        public void Range(double fromX, double toX, double fromY, double toY)
        {
            x0 = fromX;
            x1 = toX > fromX ? toX : fromX + 1;
            y0 = fromY;
            y1 = toY > fromY ? toY : fromY + 1;
        }

        public double X(double x) => left + (x - x0) / (x1 - x0) * width;

        public double Y(double y) => top + height - (y - y0) / (y1 - y0) * height;

        public void Grid(int stepsX, int stepsY, Func<double, string> textX, Func<double, string> textY)
        {
            to.LineWidth = 1;
            for (int i = 0; i <= stepsX; i++)
            {
                double x = x0 + (x1 - x0) * i / stepsX;
                Line("#e8ebf0", 1, x, y0, x, y1);
                Write(to, X(x), top + height + 15, textX(x), Form.Quiet, 10, i == 0 ? 0 : i == stepsX ? 1 : 0.5);
            }
            for (int i = 0; i <= stepsY; i++)
            {
                double y = y0 + (y1 - y0) * i / stepsY;
                Line("#e8ebf0", 1, x0, y, x1, y);
                Write(to, left - 6, Y(y) + 4, textY(y), Form.Quiet, 10, 1);
            }
        }

        public void Line(string colour, double thickness, params double[] points)
        {
            Colour(to, colour);
            to.LineWidth = thickness;
            to.MoveTo(X(points[0]), Y(points[1]));
            for (int i = 2; i + 1 < points.Length; i += 2) to.LineTo(X(points[i]), Y(points[i + 1]));
            to.Stroke();
        }

        public void Point(string colour, double x, double y, double radius, bool hollow = false)
        {
            Colour(to, colour);
            to.NewPath(); // an arc is joined to where the pen was
            to.Arc(X(x), Y(y), radius, 0, 2 * Math.PI);
            to.LineWidth = 1.5;
            if (hollow) to.Stroke();
            else to.Fill();
        }
    }

    /// A widget that draws itself by a function of its size.
    sealed class Drawing : DrawingArea
    {
        readonly Action<Context, double, double> draw;

        public Drawing(Action<Context, double, double> draw)
        {
            this.draw = draw;
            Drawn += (sender, arguments) =>
            {
                arguments.Cr.Antialias = Antialias.Default;
                this.draw(arguments.Cr, AllocatedWidth, AllocatedHeight);
            };
        }
    }
}
