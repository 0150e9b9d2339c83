// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>Scores into probabilities that were checked against outcomes. Immutable; may be shared by threads.</summary>
    public sealed unsafe class Calibrator : IDisposable
    {
        readonly csm_calibrator handle;
        readonly csm_calibrator_info info;

        Calibrator(csm_calibrator calibrator)
        {
            handle = calibrator;
            csm_calibrator_info found;
            NativeMethods.csm_calibrator_describe(&found, handle);
            info = found;
        }

        /// <summary>Fits a calibrator.</summary>
        /// <param name="score">Raw scores, log-odds.</param>
        /// <param name="outcome">0 or 1 for each score.</param>
        /// <param name="blocks">Disjoint horizon blocks behind the scores, above 0.</param>
        /// <param name="method">Auto: by blocks.</param>
        /// <param name="weight">A weight for each score; empty: all 1.</param>
        /// <param name="matured">Whether the scores are matured out-of-fold predictions, which the gate asks for.</param>
        /// <exception cref="CryptoSmartException">NoData: one class only, or too few blocks for the method.</exception>
        public static Calibrator Fit(ReadOnlySpan<double> score, ReadOnlySpan<double> outcome, double blocks, Calibration method = Calibration.Auto,
                                     ReadOnlySpan<double> weight = default(ReadOnlySpan<double>), bool matured = false)
        {
            Shape.Length(outcome.Length, score.Length, nameof(outcome), "score");
            if (!weight.IsEmpty) Shape.Length(weight.Length, score.Length, nameof(weight), "score");
            csm_calibrator_options options;
            NativeMethods.csm_calibrator_options_init(&options);
            options.method = (uint)method;
            options.blocks = blocks;
            options.matured = matured ? 1u : 0u;
            fixed (double* s = &MemoryMarshal.GetReference(score), y = &MemoryMarshal.GetReference(outcome), w = &MemoryMarshal.GetReference(weight))
            {
                csm_calibrator calibrator;
                NativeMethods.csm_calibrator_fit(out calibrator, s, y, weight.IsEmpty ? null : w, score.Length, &options);
                return new Calibrator(calibrator);
            }
        }

        /// <summary>Frees it.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>The low-level object, for <see cref="NativeMethods"/>.</summary>
        public csm_calibrator Native => handle;

        /// <summary>Method in use.</summary>
        public Calibration Method => (Calibration)info.method;

        /// <summary>Share of outcomes that were 1.</summary>
        public double BaseRate => info.base_rate;

        /// <summary>How far every probability is drawn toward the base rate: 0 not at all, 1 wholly.</summary>
        public double Shrinkage => info.shrinkage;

        /// <summary>Probabilities of scores, into the caller's span.</summary>
        public void Apply(ReadOnlySpan<double> score, Span<double> probability)
        {
            Shape.Length(probability.Length, score.Length, nameof(probability), "score");
            fixed (double* s = &MemoryMarshal.GetReference(score), p = &MemoryMarshal.GetReference(probability))
                NativeMethods.csm_calibrator_apply(handle, s, p, score.Length);
        }

        /// <summary>Probabilities of scores.</summary>
        public double[] Apply(ReadOnlySpan<double> score)
        {
            var probability = new double[score.Length];
            Apply(score, probability);
            return probability;
        }

        /// <summary>Inductive Venn-Abers pair at each score: lower and upper probability.</summary>
        public void VennAbers(ReadOnlySpan<double> score, Span<double> lower, Span<double> upper)
        {
            Shape.Length(lower.Length, score.Length, nameof(lower), "score");
            Shape.Length(upper.Length, score.Length, nameof(upper), "score");
            fixed (double* s = &MemoryMarshal.GetReference(score), p0 = &MemoryMarshal.GetReference(lower), p1 = &MemoryMarshal.GetReference(upper))
                NativeMethods.csm_calibrator_venn_abers(handle, s, p0, p1, score.Length);
        }
    }
}
