// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>A technical indicator.</summary>
    public sealed unsafe class Indicator
    {
        readonly csm_indicator* row; // static storage of the library

        internal Indicator(csm_indicator* row)
        {
            this.row = row;
            Name = Wire.Text(row->name);
            Title = Wire.Text(row->title);
            Source = Wire.Text(row->source);
            var outputs = new List<string>();
            byte** names = &row->outputs_0;
            for (int i = 0; i < row->output_count; i++) outputs.Add(Wire.Text(names[i]));
            Outputs = outputs;
            var parameters = new List<string>();
            csm_indicator_parameter* parameter = &row->parameters_0;
            for (int i = 0; i < row->parameter_count; i++) parameters.Add(Wire.Text(parameter[i].name));
            Parameters = parameters;
        }

        /// <summary>Name, such as "rsi".</summary>
        public string Name { get; }

        /// <summary>Title.</summary>
        public string Title { get; }

        /// <summary>The publication its formula is from.</summary>
        public string Source { get; }

        /// <summary>Names of its parameters, in the order in which values are given.</summary>
        public IReadOnlyList<string> Parameters { get; }

        /// <summary>Names of its outputs.</summary>
        public IReadOnlyList<string> Outputs { get; }

        internal csm_indicator* Native => row;

        /// <summary>Bars after which the first output exists.</summary>
        public int Warmup(params double[] parameters)
        {
            UIntPtr bars;
            fixed (double* values = Given(parameters)) NativeMethods.csm_indicator_warmup(&bars, row, values);
            return (int)bars;
        }

        /// <summary>Runs over bars; outputs of a bar stand side by side. NaN during warm-up.</summary>
        /// <param name="time">Open of each bar, nanoseconds since 1970 UTC.</param>
        /// <param name="interval">Length of a bar.</param>
        /// <param name="open">First price.</param>
        /// <param name="high">Highest price.</param>
        /// <param name="low">Lowest price.</param>
        /// <param name="close">Last price.</param>
        /// <param name="volume">Volume.</param>
        /// <param name="output">As many values as bars times outputs.</param>
        /// <param name="parameters">Null: the usual ones.</param>
        /// <exception cref="CryptoSmartException">InvalidArgument names the bar and column that is wrong.</exception>
        public void Run(ReadOnlySpan<long> time, TimeSpan interval, ReadOnlySpan<double> open, ReadOnlySpan<double> high, ReadOnlySpan<double> low,
                        ReadOnlySpan<double> close, ReadOnlySpan<double> volume, Span<double> output, params double[] parameters)
        {
            Shape.Length(open.Length, time.Length, nameof(open), "time");
            Shape.Length(high.Length, time.Length, nameof(high), "time");
            Shape.Length(low.Length, time.Length, nameof(low), "time");
            Shape.Length(close.Length, time.Length, nameof(close), "time");
            Shape.Length(volume.Length, time.Length, nameof(volume), "time");
            Shape.Length(output.Length, checked(time.Length * Outputs.Count), nameof(output), "the indicator");
            fixed (long* times = &MemoryMarshal.GetReference(time))
            fixed (double* o = &MemoryMarshal.GetReference(open), h = &MemoryMarshal.GetReference(high), l = &MemoryMarshal.GetReference(low),
                   c = &MemoryMarshal.GetReference(close), v = &MemoryMarshal.GetReference(volume), to = &MemoryMarshal.GetReference(output),
                   values = Given(parameters))
            {
                var bars = new csm_bars
                {
                    length = (UIntPtr)(uint)time.Length, interval = Wire.Nanoseconds(interval), time = times, open = o, high = h, low = l, close = c,
                    volume = v,
                };
                csm_matrix matrix = Shape.Matrix(to, ElementType.F64, output.Length, Outputs.Count, nameof(output));
                NativeMethods.csm_indicator_run(row, values, &bars, &matrix);
            }
        }

        /// <summary>Runs over bars of a store, all of which traded.</summary>
        public double[] Run(Bars bars, params double[] parameters)
        {
            var output = new double[checked(Wire.NotNull(bars, nameof(bars)).Count * Outputs.Count)];
            Run(bars.Time, bars.Interval, bars.Open, bars.High, bars.Low, bars.Close, bars.Volume, output, parameters);
            GC.KeepAlive(bars);
            return output;
        }

        /// <summary>Takes one bar at a time.</summary>
        public IndicatorStream Open(params double[] parameters) => new IndicatorStream(this, Given(parameters));

        internal double[] Given(double[] parameters)
        {
            if (parameters == null || parameters.Length == 0) return null;
            Shape.Length(parameters.Length, Parameters.Count, nameof(parameters), Name);
            return parameters;
        }
    }

    /// <summary>An indicator that takes one bar at a time and gives the same bits as over all of them. One thread at a time.</summary>
    public sealed unsafe class IndicatorStream : IDisposable
    {
        readonly csm_indicator_state handle;
        readonly Gate gate = new Gate("this IndicatorStream");
        readonly int outputs;

        internal IndicatorStream(Indicator indicator, double[] parameters)
        {
            outputs = indicator.Outputs.Count;
            fixed (double* values = parameters) NativeMethods.csm_indicator_state_new(out handle, indicator.Native, values);
        }

        /// <summary>Frees it.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>Takes the next bar and writes its outputs; NaN during warm-up.</summary>
        public void Push(double open, double high, double low, double close, double volume, Span<double> output)
        {
            Shape.Length(output.Length, outputs, nameof(output), "the indicator");
            var bar = new csm_bar { open = open, high = high, low = low, close = close, volume = volume };
            using (gate.Enter())
            fixed (double* to = &MemoryMarshal.GetReference(output))
                NativeMethods.csm_indicator_push(handle, &bar, to);
        }
    }

    /// <summary>The indicators.</summary>
    public static unsafe class Indicators
    {
        static readonly Lazy<IReadOnlyList<Indicator>> all = new Lazy<IReadOnlyList<Indicator>>(List);

        /// <summary>Every indicator.</summary>
        public static IReadOnlyList<Indicator> All => all.Value;

        /// <summary>One by name.</summary>
        /// <exception cref="ArgumentException">There is none of that name.</exception>
        public static Indicator Find(string name)
        {
            csm_indicator* row = NativeMethods.csm_indicator_find(Wire.NotNull(name, nameof(name)));
            if (row == null) throw new ArgumentException("there is no indicator '" + name + "'", nameof(name));
            return new Indicator(row);
        }

        static IReadOnlyList<Indicator> List()
        {
            var list = new List<Indicator>();
            for (long i = 0; i < NativeMethods.csm_indicator_count(); i++) list.Add(new Indicator(NativeMethods.csm_indicator_at(i)));
            return list;
        }
    }
}
