// SPDX-License-Identifier: MIT
using System;

namespace CryptoSmart
{
    /// <summary>A failure of the library. A cancelled call is an <see cref="OperationCanceledException"/> instead.</summary>
    public sealed class CryptoSmartException : Exception
    {
        /// <summary>Makes one.</summary>
        /// <param name="status">What kind of failure it was.</param>
        /// <param name="message">What was wrong and where.</param>
        public CryptoSmartException(Status status, string message)
            : base(string.IsNullOrEmpty(message) ? status.ToString() : message)
        {
            Status = status;
        }

        /// <summary>What kind of failure it was: there is one for each way a caller would act.</summary>
        public Status Status { get; }
    }
}
