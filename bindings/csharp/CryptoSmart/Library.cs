// SPDX-License-Identifier: MIT
using System;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>The native library itself.</summary>
    public static class Library
    {
        /// <summary>Its version, such as "0.1.0".</summary>
        public static string Version => NativeMethods.csm_version();

        /// <summary>Best instruction set of this processor that it has kernels for; results do not depend on it.</summary>
        public static InstructionSet InstructionSet => (InstructionSet)NativeMethods.csm_backend_isa();

        /// <summary>Whether it was built with CUDA.</summary>
        public static bool HasCuda => NativeMethods.csm_backend_has_cuda() != 0;
    }
}
