// SPDX-License-Identifier: MIT
// The C# twin of tests/bindings/same/same.c, which says what it computes.
using System;
using System.Globalization;
using System.IO;
using System.Text;
using CryptoSmart;
using CryptoSmart.Interop;

static unsafe class Same
{
    const int Features = 4, Window = 6;

    static double Exact(string text, out long ticks)
    {
        csm_decimal value;
        NativeMethods.csm_decimal_parse(&value, text, Encoding.UTF8.GetByteCount(text));
        ticks = value.ticks;
        return NativeMethods.csm_decimal_double(value);
    }

    static void Write(TextWriter to, string name, ReadOnlySpan<double> values)
    {
        for (int i = 0; i < values.Length; i++)
            to.Write(name + " " + i + " " + BitConverter.DoubleToInt64Bits(values[i]).ToString("x16", CultureInfo.InvariantCulture) + "\n");
    }

    internal static void Run(string path, TextWriter to)
    {
        string[] lines = File.ReadAllLines(path);
        int rows = lines.Length - 1;
        var time = new long[rows];
        var column = new double[5][];
        for (int c = 0; c < 5; c++) column[c] = new double[rows];
        for (int i = 0; i < rows; i++)
        {
            string[] cells = lines[i + 1].Split(',');
            long ticks;
            Exact(cells[0], out ticks);
            time[i] = ticks * 1000000000;
            for (int c = 0; c < 5; c++) column[c][i] = Exact(cells[c + 1], out ticks);
        }
        foreach (Indicator indicator in Indicators.All)
        {
            int outputs = indicator.Outputs.Count;
            var result = new double[rows * outputs];
            indicator.Run(time, TimeSpan.FromHours(1), column[0], column[1], column[2], column[3], column[4], result);
            for (int o = 0; o < outputs; o++)
            {
                var one = new double[rows];
                for (int r = 0; r < rows; r++) one[r] = result[r * outputs + o];
                Write(to, "indicator." + indicator.Name + "." + o, one);
            }
        }
        int n = rows - 1;
        var x = new float[n * Features];
        var y = new double[n];
        for (int i = 0; i < n; i++)
        {
            x[i * Features] = (float)(column[3][i] / column[0][i] - 1);
            x[i * Features + 1] = (float)((column[1][i] - column[2][i]) / column[3][i]);
            x[i * Features + 2] = (float)(column[4][i] / 1000);
            x[i * Features + 3] = i % 24;
            y[i] = column[3][i + 1] > column[3][i] ? 1 : 0;
        }
        using (var context = new Context())
        {
            double[] predicted;
            var options = new TrainOptions { Objective = Objective.Logistic, Parameters = { { "rounds", 20 }, { "min_rows", 5 } } };
            using (Trees trees = Trees.Train(context, x, Features, y, options: options))
            {
                predicted = trees.Predict(x, context);
                Write(to, "trees", predicted);
                Write(to, "shap", trees.Explain(x, context));
            }
            var ends = new long[n - (Window - 1)];
            for (int i = 0; i < ends.Length; i++) ends[i] = i + Window - 1;
            options = new TrainOptions { Objective = Objective.Logistic, Parameters = { { "hidden", 4 }, { "epochs", 1 } } };
            using (Lstm lstm = Lstm.Train(context, x, Features, ends, Window, y.AsSpan(Window - 1), options))
                Write(to, "lstm", lstm.Predict(x, ends, context));
            using (Calibrator calibrator = Calibrator.Fit(predicted, y, 40, Calibration.Platt))
                Write(to, "calibrated", calibrator.Apply(predicted));
        }
        var normal = new double[10];
        for (int i = 0; i < normal.Length; i++) normal[i] = NativeMethods.csm_random_normal(1, 2, (ulong)i);
        Write(to, "normal", normal);
    }
}
