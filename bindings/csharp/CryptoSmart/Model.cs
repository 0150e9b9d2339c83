// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>How to train one model.</summary>
    public sealed class TrainOptions
    {
        /// <summary>What is predicted; squared error.</summary>
        public Objective Objective { get; set; } = Objective.Squared;

        /// <summary>Parameters by name, those of <see cref="Model.Parameters"/>; the others keep their standard value.</summary>
        public IDictionary<string, double> Parameters { get; } = new Dictionary<string, double>();

        /// <summary>Names of the features, kept in the model; null: f0, f1, ...</summary>
        public IReadOnlyList<string> FeatureNames { get; set; }

        /// <summary>Random stream beside the context's seed.</summary>
        public ulong Stream { get; set; }
    }

    /// <summary>A parameter of a learner.</summary>
    public sealed class LearnerParameter
    {
        /// <summary>Name, such as "leaves".</summary>
        public string Name { get; internal set; }

        /// <summary>One sentence.</summary>
        public string Text { get; internal set; }

        /// <summary>Least value.</summary>
        public double Minimum { get; internal set; }

        /// <summary>Greatest value.</summary>
        public double Maximum { get; internal set; }

        /// <summary>Value unless given.</summary>
        public double Standard { get; internal set; }
    }

    /// <summary>A trained model. Immutable; may be shared by threads.</summary>
    public abstract unsafe class Model : IDisposable
    {
        readonly csm_model handle;
        readonly csm_model_info info;

        internal Model(csm_model model, string learner)
        {
            handle = model;
            csm_model_info found;
            using (new Kept(handle))
            {
                NativeMethods.csm_model_describe(&found, handle);
                if (Wire.Text(found.learner) != learner)
                    throw new CryptoSmartException(Status.InvalidArgument, "the model is of the learner '" + Wire.Text(found.learner) + "', not '" + learner + "'");
            }
            info = found;
        }

        /// <summary>Frees it.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>The low-level object, for <see cref="NativeMethods"/>.</summary>
        public csm_model Native => handle;

        /// <summary>Number of features a row has.</summary>
        public int Features => (int)info.features;

        /// <summary>Number of values predicted for a sample.</summary>
        public int Outputs => (int)info.outputs;

        /// <summary>Trees or epochs kept.</summary>
        public int Rounds => (int)info.rounds;

        /// <summary>Loss on the training rows.</summary>
        public double TrainingLoss => info.training_loss;

        /// <summary>Writes a safetensors file.</summary>
        public void Save(string path) => NativeMethods.csm_model_save(handle, Wire.NotNull(path, nameof(path)), null);

        /// <summary>Parameters that a learner takes.</summary>
        /// <param name="learner">"gbt" or "lstm".</param>
        public static IReadOnlyList<LearnerParameter> Parameters(string learner)
        {
            csm_learner* row = NativeMethods.csm_model_learner_find(Wire.NotNull(learner, nameof(learner)));
            if (row == null) throw new ArgumentException("there is no learner '" + learner + "'", nameof(learner));
            var list = new List<LearnerParameter>();
            for (ulong i = 0; i < (ulong)row->parameter_count; i++)
            {
                csm_learner_parameter* parameter = row->parameters + i;
                list.Add(new LearnerParameter
                {
                    Name = Wire.Text(parameter->name), Text = Wire.Text(parameter->text), Minimum = parameter->minimum,
                    Maximum = parameter->maximum, Standard = parameter->standard,
                });
            }
            return list;
        }

        internal static csm_model Load(string path)
        {
            csm_model model;
            NativeMethods.csm_model_load(out model, Wire.NotNull(path, nameof(path)));
            return model;
        }

        internal static csm_model Train(string learner, Context context, csm_samples* samples, TrainOptions options, IProgress<Progress> progress,
                                        CancellationToken token)
        {
            options = options ?? new TrainOptions();
            int features = (int)samples->x.cols;
            if (options.FeatureNames != null && options.FeatureNames.Count != features)
                throw new ArgumentException("there are " + options.FeatureNames.Count + " feature names for " + features + " features", nameof(options));
            csm_train_options native;
            NativeMethods.csm_model_train_options_init(&native);
            native.objective = (uint)options.Objective;
            native.stream = options.Stream;
            var names = new List<string>(options.Parameters.Keys);
            var parameters = new csm_parameter[names.Count + 1];
            using (var texts = new TextList(names))
            using (TextList featureTexts = options.FeatureNames == null ? null : new TextList(options.FeatureNames))
            using (Wire.NotNull(context, nameof(context)).Begin(progress, token))
            fixed (csm_parameter* first = parameters)
            {
                for (int i = 0; i < names.Count; i++)
                {
                    parameters[i].name = texts.Pointer[i];
                    parameters[i].value = options.Parameters[names[i]];
                }
                native.parameters = first;
                native.parameter_count = (UIntPtr)(uint)names.Count;
                native.feature_names = featureTexts == null ? null : featureTexts.Pointer;
                csm_model model;
                NativeMethods.csm_model_train(out model, context.Native, learner, samples, &native);
                return model;
            }
        }

        internal void Predict(Context context, csm_samples* samples, csm_matrix* output)
        {
            if (context == null)
            {
                using (csm_context none = csm_context.Null) NativeMethods.csm_model_predict(handle, none, samples, output);
                return;
            }
            using (context.Begin()) NativeMethods.csm_model_predict(handle, context.Native, samples, output);
        }
    }

    /// <summary>Shapes of the caller's arrays.</summary>
    internal static unsafe class Shape
    {
        internal static csm_matrix Matrix(void* data, ElementType type, int length, int columns, string name)
        {
            if (columns <= 0) throw new ArgumentOutOfRangeException(nameof(columns), columns, "a row has at least one value");
            if (length % columns != 0)
                throw new ArgumentException(length + " values are not whole rows of " + columns, name);
            return new csm_matrix
            {
                data = data, rows = (UIntPtr)(uint)(length / columns), cols = (UIntPtr)(uint)columns, row_stride = (IntPtr)columns,
                col_stride = (IntPtr)1, dtype = (int)type,
            };
        }

        internal static void Length(int got, int wanted, string name, string of)
        {
            if (got != wanted) throw new ArgumentException(name + " has " + got + " values where " + of + " needs " + wanted, name);
        }
    }

    /// <summary>Gradient-boosted trees. Rows are passed one after another in one span, without a copy.</summary>
    public sealed unsafe class Trees : Model
    {
        internal Trees(csm_model model) : base(model, "gbt") { }

        /// <summary>Reads a model file.</summary>
        public static new Trees Load(string path) => new Trees(Model.Load(path));

        /// <summary>Trains.</summary>
        /// <param name="context">Threads, seed, progress and cancel.</param>
        /// <param name="x">Rows of features, one after another.</param>
        /// <param name="features">Values a row has.</param>
        /// <param name="y">A value for each row.</param>
        /// <param name="weight">A weight for each row; empty: all 1.</param>
        /// <param name="options">Null for the defaults.</param>
        /// <param name="progress">Told on the calling thread.</param>
        /// <param name="cancellationToken">Ends the call.</param>
        /// <exception cref="CryptoSmartException">InvalidArgument names a NaN's row and column or the parameter; NoData: nothing to learn.</exception>
        public static Trees Train(Context context, ReadOnlySpan<float> x, int features, ReadOnlySpan<double> y,
                                  ReadOnlySpan<double> weight = default(ReadOnlySpan<double>), TrainOptions options = null,
                                  IProgress<Progress> progress = null, CancellationToken cancellationToken = default(CancellationToken))
        {
            fixed (float* data = &MemoryMarshal.GetReference(x))
                return Train(context, Shape.Matrix(data, ElementType.F32, x.Length, features, nameof(x)), y, weight, options, progress, cancellationToken);
        }

        /// <inheritdoc cref="Train(Context, ReadOnlySpan{float}, int, ReadOnlySpan{double}, ReadOnlySpan{double}, TrainOptions, IProgress{Progress}, CancellationToken)"/>
        public static Trees Train(Context context, ReadOnlySpan<double> x, int features, ReadOnlySpan<double> y,
                                  ReadOnlySpan<double> weight = default(ReadOnlySpan<double>), TrainOptions options = null,
                                  IProgress<Progress> progress = null, CancellationToken cancellationToken = default(CancellationToken))
        {
            fixed (double* data = &MemoryMarshal.GetReference(x))
                return Train(context, Shape.Matrix(data, ElementType.F64, x.Length, features, nameof(x)), y, weight, options, progress, cancellationToken);
        }

        static Trees Train(Context context, csm_matrix x, ReadOnlySpan<double> y, ReadOnlySpan<double> weight, TrainOptions options,
                           IProgress<Progress> progress, CancellationToken token)
        {
            int rows = (int)x.rows;
            Shape.Length(y.Length, rows, nameof(y), "x");
            if (!weight.IsEmpty) Shape.Length(weight.Length, rows, nameof(weight), "x");
            fixed (double* outcome = &MemoryMarshal.GetReference(y), weights = &MemoryMarshal.GetReference(weight))
            {
                var samples = new csm_samples
                {
                    x = x, y = Shape.Matrix(outcome, ElementType.F64, rows, 1, nameof(y)), weight = weight.IsEmpty ? null : weights, length = x.rows,
                };
                return new Trees(Model.Train("gbt", context, &samples, options, progress, token));
            }
        }

        /// <summary>Raw predictions, <see cref="Model.Outputs"/> for each row, into the caller's span.</summary>
        /// <param name="x">Rows of features, one after another.</param>
        /// <param name="output">As many values as rows times outputs.</param>
        /// <param name="context">Threads; null: this one.</param>
        public void Predict(ReadOnlySpan<float> x, Span<double> output, Context context = null)
        {
            fixed (float* data = &MemoryMarshal.GetReference(x))
                Predict(Shape.Matrix(data, ElementType.F32, x.Length, Features, nameof(x)), output, context);
        }

        /// <inheritdoc cref="Predict(ReadOnlySpan{float}, Span{double}, Context)"/>
        public void Predict(ReadOnlySpan<double> x, Span<double> output, Context context = null)
        {
            fixed (double* data = &MemoryMarshal.GetReference(x))
                Predict(Shape.Matrix(data, ElementType.F64, x.Length, Features, nameof(x)), output, context);
        }

        /// <summary>Raw predictions, <see cref="Model.Outputs"/> for each row.</summary>
        public double[] Predict(ReadOnlySpan<float> x, Context context = null)
        {
            var output = new double[x.Length / Math.Max(1, Features) * Outputs];
            Predict(x, output, context);
            return output;
        }

        void Predict(csm_matrix x, Span<double> output, Context context)
        {
            Shape.Length(output.Length, checked((int)x.rows * Outputs), nameof(output), "the prediction");
            fixed (double* result = &MemoryMarshal.GetReference(output))
            {
                var samples = new csm_samples { x = x, length = x.rows };
                csm_matrix to = Shape.Matrix(result, ElementType.F64, output.Length, Outputs, nameof(output));
                Predict(context, &samples, &to);
            }
        }

        /// <summary>Total gain of each feature.</summary>
        public double[] Importance()
        {
            var gain = new double[Features];
            fixed (double* to = gain) NativeMethods.csm_model_importance(Native, to, gain.Length);
            return gain;
        }

        /// <summary>
        /// Contribution of each feature to each raw prediction (exact TreeSHAP): for each row and output, one value a feature, then the
        /// expected value; together they are the prediction.
        /// </summary>
        public double[] Explain(ReadOnlySpan<float> x, Context context = null)
        {
            int columns = Outputs * (Features + 1);
            fixed (float* data = &MemoryMarshal.GetReference(x))
            {
                csm_matrix rows = Shape.Matrix(data, ElementType.F32, x.Length, Features, nameof(x));
                var values = new double[checked((int)rows.rows * columns)];
                csm_explainer explainer;
                NativeMethods.csm_explainer_new(out explainer, Native, null);
                using (explainer)
                using (csm_context none = csm_context.Null)
                using (context?.Begin())
                fixed (double* to = values)
                {
                    csm_matrix output = Shape.Matrix(to, ElementType.F64, values.Length, columns, nameof(values));
                    NativeMethods.csm_explainer_values(explainer, context == null ? none : context.Native, &rows, &output);
                }
                return values;
            }
        }
    }

    /// <summary>LSTM over windows of consecutive hours. Windows are never copied out of the rows.</summary>
    public sealed unsafe class Lstm : Model
    {
        internal Lstm(csm_model model) : base(model, "lstm") { }

        /// <summary>Reads a model file.</summary>
        public static new Lstm Load(string path) => new Lstm(Model.Load(path));

        /// <summary>Hours of a window.</summary>
        public int WindowLength => (int)NativeMethods.csm_model_window_length(Native);

        /// <summary>Trains.</summary>
        /// <param name="context">Threads, seed, progress and cancel.</param>
        /// <param name="x">Hours of features, coin after coin and hour after hour.</param>
        /// <param name="features">Values an hour has.</param>
        /// <param name="windowEnd">For each sample the row of x that its window ends with.</param>
        /// <param name="windowLength">Hours of a window.</param>
        /// <param name="y">A value for each sample.</param>
        /// <param name="options">Null for the defaults.</param>
        /// <param name="progress">Told on the calling thread.</param>
        /// <param name="cancellationToken">Ends the call.</param>
        public static Lstm Train(Context context, ReadOnlySpan<float> x, int features, ReadOnlySpan<long> windowEnd, int windowLength,
                                 ReadOnlySpan<double> y, TrainOptions options = null, IProgress<Progress> progress = null,
                                 CancellationToken cancellationToken = default(CancellationToken))
        {
            if (windowLength <= 0) throw new ArgumentOutOfRangeException(nameof(windowLength), windowLength, "a window has at least one hour");
            Shape.Length(y.Length, windowEnd.Length, nameof(y), "windowEnd");
            fixed (float* data = &MemoryMarshal.GetReference(x))
            fixed (double* outcome = &MemoryMarshal.GetReference(y))
            fixed (long* ends = &MemoryMarshal.GetReference(windowEnd))
            {
                var samples = new csm_samples
                {
                    x = Shape.Matrix(data, ElementType.F32, x.Length, features, nameof(x)),
                    y = Shape.Matrix(outcome, ElementType.F64, y.Length, 1, nameof(y)), window_end = ends,
                    window_length = (UIntPtr)(uint)windowLength, length = (UIntPtr)(uint)windowEnd.Length,
                };
                return new Lstm(Model.Train("lstm", context, &samples, options, progress, cancellationToken));
            }
        }

        /// <summary>Raw predictions, <see cref="Model.Outputs"/> for each window.</summary>
        public double[] Predict(ReadOnlySpan<float> x, ReadOnlySpan<long> windowEnd, Context context = null)
        {
            var output = new double[checked(windowEnd.Length * Outputs)];
            fixed (float* data = &MemoryMarshal.GetReference(x))
            fixed (long* ends = &MemoryMarshal.GetReference(windowEnd))
            fixed (double* result = output)
            {
                var samples = new csm_samples
                {
                    x = Shape.Matrix(data, ElementType.F32, x.Length, Features, nameof(x)), window_end = ends,
                    window_length = (UIntPtr)(uint)WindowLength, length = (UIntPtr)(uint)windowEnd.Length,
                };
                csm_matrix to = Shape.Matrix(result, ElementType.F64, output.Length, Outputs, nameof(output));
                Predict(context, &samples, &to);
            }
            return output;
        }
    }
}
