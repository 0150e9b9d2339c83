// SPDX-License-Identifier: MIT
// Wrong use is an exception that says what is wrong, never a crash.
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using CryptoSmart;
using CryptoSmart.Interop;

static unsafe class MisuseTests
{
    static readonly double[] labels = Labels(200);
    static readonly float[] numbers = Numbers(200 * 3);

    static double[] Labels(int count)
    {
        var y = new double[count];
        for (int i = 0; i < count; i++) y[i] = NativeMethods.csm_random_uniform(1, 1, (ulong)i) < 0.5 ? 0 : 1;
        return y;
    }

    static float[] Numbers(int count)
    {
        var x = new float[count];
        for (int i = 0; i < count; i++) x[i] = (float)NativeMethods.csm_random_normal(1, 2, (ulong)i);
        return x;
    }

    static TrainOptions Quick(int rounds = 5) =>
        new TrainOptions { Objective = Objective.Logistic, Parameters = { { "rounds", rounds }, { "min_rows", 5 } } };

    [Test]
    static void a_wrong_length_is_named()
    {
        using (var context = new Context())
        {
            Check.Throws<ArgumentException>(() => Trees.Train(context, new float[7], 3, new double[2]), "7 values are not whole rows of 3");
            Check.Throws<ArgumentException>(() => Trees.Train(context, new float[9], 3, new double[2]), "y has 2 values");
            Check.Throws<ArgumentOutOfRangeException>(() => Trees.Train(context, new float[9], 0, new double[2]));
            using (Trees trees = Trees.Train(context, numbers, 3, labels, options: Quick()))
            {
                Check.Throws<ArgumentException>(() => trees.Predict(new float[3], new double[2]), "output has 2 values");
                Check.Throws<ArgumentException>(() => trees.Predict(new float[4]), "whole rows of 3");
            }
        }
        Check.Throws<ArgumentException>(() => Calibrator.Fit(new double[3], new double[4], 10), "outcome has 4 values");
        Check.Throws<ArgumentException>(
            () => Indicators.Find("rsi").Run(new long[2], TimeSpan.FromHours(1), new double[2], new double[2], new double[1], new double[2],
                                             new double[2], new double[2]), "low has 1 values");
        Check.Throws<ArgumentException>(() => Indicators.Find("rsi").Open(1, 2, 3), "parameters has 3 values");
    }

    [Test]
    static void a_failure_of_the_library_carries_its_status_and_text()
    {
        using (var context = new Context())
        {
            CryptoSmartException error = Check.Throws<CryptoSmartException>(
                () => Trees.Train(context, numbers, 3, labels, options: new TrainOptions { Parameters = { { "leaves", 1 } } }), "leaves");
            Check.Equal(Status.InvalidArgument, error.Status);
            error = Check.Throws<CryptoSmartException>(() => new Workspace(context, "/nonexistent/workspace"), "/nonexistent/workspace");
            Check.Equal(Status.NotFound, error.Status);
            var bad = (float[])numbers.Clone();
            bad[7] = float.NaN;
            Check.Throws<CryptoSmartException>(() => Trees.Train(context, bad, 3, labels), "row 2");
        }
        using (var config = new Config())
        {
            Check.Throws<CryptoSmartException>(() => config["gate.threshold"] = "0.5", "gate.threshold");
            Check.Throws<KeyNotFoundException>(() => { string unused = config["no.such"]; }, "no.such");
            Check.Throws<CryptoSmartException>(() => config.Parse("gate:\n  nothing: 1\n", "file.yaml"), "file.yaml:2");
            Check.Throws<ArgumentNullException>(() => config.Load(null));
            Check.Throws<ArgumentException>(() => config["fuse.recipe"] = "a\0b", "zero");
            Check.Equal("0.80", config["gate.threshold"]);
        }
    }

    [Test]
    static void text_is_utf8_both_ways()
    {
        using (var context = new Context())
        {
            Check.Throws<CryptoSmartException>(() => new Workspace(context, "/nonexistent/M\u00fcnze \u20bf \U0001F680"), "M\u00fcnze \u20bf \U0001F680");
        }
    }

    [Test]
    static void a_disposed_object_is_refused()
    {
        var context = new Context();
        Trees trees = Trees.Train(context, numbers, 3, labels, options: Quick());
        trees.Dispose();
        trees.Dispose();
        Check.Throws<ObjectDisposedException>(() => trees.Predict(numbers));
        context.Dispose();
        context.Dispose();
        Check.Throws<ObjectDisposedException>(() => Trees.Train(context, numbers, 3, labels, options: Quick()));
        Check.Throws<ObjectDisposedException>(() => context.Cancel());
        var config = new Config();
        config.Dispose();
        Check.Throws<ObjectDisposedException>(() => { string unused = config["gate.threshold"]; });
        IndicatorStream stream = Indicators.Find("rsi").Open();
        stream.Dispose();
        Check.Throws<ObjectDisposedException>(() => stream.Push(1, 1, 1, 1, 1, new double[1]));
        Calibrator calibrator = Calibrator.Fit(new double[] { -1, 0, 1, 2 }, new double[] { 0, 0, 1, 1 }, 10);
        calibrator.Dispose();
        Check.Throws<ObjectDisposedException>(() => calibrator.Apply(new double[1]));
    }

    sealed class Report : IProgress<Progress>
    {
        readonly Action<Progress> told;

        internal Report(Action<Progress> told)
        {
            this.told = told;
        }

        void IProgress<Progress>.Report(Progress value) => told(value);
    }

    [Test]
    static void a_second_thread_is_refused_while_the_first_is_at_work()
    {
        using (var context = new Context())
        using (var inside = new ManualResetEventSlim())
        using (var seen = new ManualResetEventSlim())
        {
            var report = new Report(progress =>
            {
                inside.Set();
                seen.Wait();
            });
            Task<Trees> first = Task.Run(() => Trees.Train(context, numbers, 3, labels, options: Quick(), progress: report));
            Check.That(inside.Wait(60000), "no progress was told");
            Check.Throws<InvalidOperationException>(() => Trees.Train(context, numbers, 3, labels, options: Quick()), "in use by another thread");
            seen.Set();
            first.Result.Dispose();
            // and afterwards it may
            Trees.Train(context, numbers, 3, labels, options: Quick()).Dispose();
        }
    }

    [Test]
    static void a_context_is_refused_inside_its_own_callback()
    {
        using (var context = new Context())
        {
            var report = new Report(progress => Trees.Train(context, numbers, 3, labels, options: Quick()));
            Check.Throws<InvalidOperationException>(() => Trees.Train(context, numbers, 3, labels, options: Quick(), progress: report), "callback");
        }
    }

    [Test]
    static void an_exception_of_a_progress_callback_cancels_and_comes_out()
    {
        using (var context = new Context())
        {
            int told = 0;
            var report = new Report(progress =>
            {
                told++;
                throw new FormatException("of the callback");
            });
            Check.Throws<FormatException>(() => Trees.Train(context, numbers, 3, labels, options: Quick(200), progress: report), "of the callback");
            Check.Equal(1, told, "times that the callback was called");
            // the context is as before
            Trees.Train(context, numbers, 3, labels, options: Quick()).Dispose();
        }
    }

    [Test]
    static void a_clock_can_be_set_and_given_back()
    {
        using (var context = new Context())
        {
            DateTimeOffset fixedTime = new DateTimeOffset(2023, 12, 30, 19, 0, 0, TimeSpan.Zero);
            context.SetClock(() => fixedTime);
            Check.Equal(fixedTime, context.Now);
            context.SetClock(null);
            Check.That(context.Now > fixedTime.AddYears(1), "the system's clock is back");
        }
    }

    [Test]
    static void a_token_cancels_and_the_context_can_be_used_again()
    {
        using (var context = new Context())
        using (var source = new CancellationTokenSource())
        {
            var report = new Report(progress => source.Cancel());
            OperationCanceledException error = Check.Throws<OperationCanceledException>(
                () => Trees.Train(context, numbers, 3, labels, options: Quick(100000), progress: report, cancellationToken: source.Token));
            Check.That(error.CancellationToken == source.Token, "the token is named");
            Check.Throws<OperationCanceledException>(() => Trees.Train(context, numbers, 3, labels, cancellationToken: source.Token));
            Trees.Train(context, numbers, 3, labels, options: Quick()).Dispose();
            context.Cancel();
            Check.Throws<OperationCanceledException>(() => Trees.Train(context, numbers, 3, labels, options: Quick()));
            context.Resume();
            Trees.Train(context, numbers, 3, labels, options: Quick()).Dispose();
        }
    }

    [Test]
    static void a_token_whose_source_is_gone_leaves_the_context_usable()
    {
        using (var context = new Context())
        {
            var source = new CancellationTokenSource();
            CancellationToken token = source.Token;
            source.Dispose();
            try
            {
                Trees.Train(context, numbers, 3, labels, options: Quick(), cancellationToken: token).Dispose();
            }
            catch (ObjectDisposedException)
            {
                // what a runtime says of such a token is its own affair
            }
            Trees.Train(context, numbers, 3, labels, options: Quick()).Dispose();
        }
    }

    [Test]
    static void a_cancel_of_another_thread_ends_a_long_call()
    {
        using (var context = new Context())
        using (var source = new CancellationTokenSource())
        {
            source.CancelAfter(50);
            Check.Throws<OperationCanceledException>(
                () => Trees.Train(context, numbers, 3, labels, options: Quick(100000), cancellationToken: source.Token));
        }
    }

    [Test]
    static void objects_may_be_disposed_during_a_call_that_uses_them()
    {
        var context = new Context();
        using (var inside = new ManualResetEventSlim())
        using (var go = new ManualResetEventSlim())
        {
            var report = new Report(progress =>
            {
                inside.Set();
                go.Wait();
            });
            Task<Trees> call = Task.Run(() => Trees.Train(context, numbers, 3, labels, options: Quick(), progress: report));
            Check.That(inside.Wait(60000), "no progress was told");
            context.Dispose();
            go.Set();
            using (Trees trees = call.Result) Check.Equal(200, trees.Predict(numbers).Length);
        }
    }

    [Test]
    static void threads_share_a_model_while_garbage_is_collected()
    {
        using (var context = new Context())
        using (Trees trees = Trees.Train(context, numbers, 3, labels, options: Quick(20)))
        {
            double[] wanted = trees.Predict(numbers);
            var tasks = new List<Task>();
            for (int t = 0; t < 4; t++)
            {
                tasks.Add(Task.Run(() =>
                {
                    for (int i = 0; i < 200; i++)
                    {
                        double[] got = trees.Predict(numbers);
                        for (int r = 0; r < got.Length; r++) Check.Equal(wanted[r], got[r]);
                        if (i % 20 == 0) GC.Collect();
                    }
                }));
            }
            Task.WaitAll(tasks.ToArray());
        }
    }

    [Test]
    static void what_is_never_disposed_is_collected()
    {
        for (int round = 0; round < 50; round++)
        {
            for (int i = 0; i < 20; i++)
            {
                new Config();
                new Context();
                Indicators.Find("ema").Open().Push(1, 2, 0.5, 1, 10, new double[1]);
                Calibrator.Fit(new double[] { -1, 0, 1, 2 }, new double[] { 0, 0, 1, 1 }, 10);
            }
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [Test]
    static void large_arrays_are_passed_without_a_copy()
    {
        using (var context = new Context())
        using (Trees trees = Trees.Train(context, numbers, 3, labels, options: Quick()))
        {
            var large = new float[3000000];
            var output = new double[1000000];
            trees.Predict(large, output);
            long before = GC.GetTotalMemory(true);
            trees.Predict(large, output);
            long grown = GC.GetTotalMemory(false) - before;
            Check.That(grown < 1000000, "a prediction allocated " + grown + " bytes for 12 MB of input");
        }
    }

    [Test]
    static void spans_over_part_of_an_array_and_over_native_memory_are_taken()
    {
        using (var context = new Context())
        using (Trees trees = Trees.Train(context, numbers, 3, labels, options: Quick()))
        {
            double[] all = trees.Predict(numbers);
            double[] part = trees.Predict(numbers.AsSpan(30, 60));
            for (int i = 0; i < part.Length; i++) Check.Equal(all[10 + i], part[i]);
            Span<float> stack = stackalloc float[3];
            numbers.AsSpan(0, 3).CopyTo(stack);
            Check.Equal(all[0], trees.Predict(stack)[0]);
            var wide = new double[numbers.Length];
            for (int i = 0; i < wide.Length; i++) wide[i] = numbers[i];
            var fromDouble = new double[all.Length];
            trees.Predict(wide, fromDouble);
            for (int i = 0; i < all.Length; i++) Check.Equal(all[i], fromDouble[i]);
        }
    }

    [Test]
    static void a_saved_model_predicts_the_same_and_the_wrong_learner_is_refused()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using (var context = new Context())
            using (Trees trees = Trees.Train(context, numbers, 3, labels, options: Quick()))
            {
                trees.Save(path);
                using (Trees loaded = Trees.Load(path))
                {
                    double[] a = trees.Predict(numbers), b = loaded.Predict(numbers);
                    for (int i = 0; i < a.Length; i++) Check.Equal(a[i], b[i]);
                }
                Check.Throws<CryptoSmartException>(() => Lstm.Load(path), "gbt");
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    static void a_stream_gives_the_same_bits_as_a_batch()
    {
        const int count = 300;
        var time = new long[count];
        var price = new double[count];
        var volume = new double[count];
        for (int i = 0; i < count; i++)
        {
            time[i] = i * 3600000000000L;
            price[i] = 100 + 10 * NativeMethods.csm_random_uniform(1, 3, (ulong)i);
            volume[i] = 1 + i;
        }
        foreach (Indicator indicator in Indicators.All)
        {
            int outputs = indicator.Outputs.Count;
            var batch = new double[count * outputs];
            indicator.Run(time, TimeSpan.FromHours(1), price, price, price, price, volume, batch);
            var one = new double[outputs];
            using (IndicatorStream stream = indicator.Open())
            {
                for (int i = 0; i < count; i++)
                {
                    stream.Push(price[i], price[i], price[i], price[i], volume[i], one);
                    for (int o = 0; o < outputs; o++)
                        Check.Equal(BitConverter.DoubleToInt64Bits(batch[i * outputs + o]), BitConverter.DoubleToInt64Bits(one[o]),
                                    indicator.Name + " bar " + i);
                }
            }
        }
    }
}
