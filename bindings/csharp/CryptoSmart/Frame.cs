// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>
    /// Feature rows as they were known at their times, over the library's own memory. The spans are valid until it is disposed; keep
    /// it in a using block around their use.
    /// </summary>
    public sealed unsafe class Frame : IDisposable
    {
        readonly csm_frame handle;
        readonly csm_matrix matrix;

        internal Frame(csm_frame frame)
        {
            handle = frame;
            matrix = NativeMethods.csm_frame_matrix(frame);
            Rows = (int)matrix.rows;
            Columns = (int)matrix.cols;
            var names = new List<string>();
            using (new Kept(handle))
            using (var recipe = new csm_recipe())
            {
                recipe.Borrow(NativeMethods.csm_frame_recipe(handle), handle);
                for (long i = 0; i < Columns; i++)
                {
                    csm_feature_info feature;
                    NativeMethods.csm_recipe_feature(&feature, recipe, i);
                    names.Add(Wire.Text(feature.name));
                }
            }
            Features = names;
        }

        /// <summary>Frees the memory under the spans.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>Number of rows.</summary>
        public int Rows { get; }

        /// <summary>Number of features.</summary>
        public int Columns { get; }

        /// <summary>Names of the features.</summary>
        public IReadOnlyList<string> Features { get; }

        /// <summary>One row's values.</summary>
        public ReadOnlySpan<float> Row(int row)
        {
            if (row < 0 || row >= Rows) throw new ArgumentOutOfRangeException(nameof(row), row, "there are " + Rows + " rows");
            if (handle.IsClosed) throw new ObjectDisposedException(nameof(Frame));
            return new ReadOnlySpan<float>((float*)matrix.data + (long)row * Columns, Columns);
        }

        /// <summary>Rows * Columns values, row after row, sorted by market, then time; a frame of more than 2^31 is read by rows.</summary>
        public ReadOnlySpan<float> Values
        {
            get
            {
                if (handle.IsClosed) throw new ObjectDisposedException(nameof(Frame));
                return new ReadOnlySpan<float>(matrix.data, checked(Rows * Columns));
            }
        }

        /// <summary>Decision time of each row, nanoseconds since 1970 UTC.</summary>
        public ReadOnlySpan<long> Times => new ReadOnlySpan<long>(NativeMethods.csm_frame_times(handle), Rows);

        /// <summary>Index into the universe of each row's market.</summary>
        public ReadOnlySpan<uint> Markets => new ReadOnlySpan<uint>(NativeMethods.csm_frame_markets(handle), Rows);
    }
}
