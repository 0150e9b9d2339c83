// SPDX-License-Identifier: MIT
using System;
using System.Text;

namespace CryptoSmart.Interop
{
    /// <summary>What the generated functions and the classes convert with.</summary>
    internal static unsafe class Wire
    {
        const long TicksPerEpoch = 621355968000000000; // DateTime ticks at 1970-01-01
        internal const long Unknown = long.MinValue;   // CSM_TIME_MIN
        internal const long Unlimited = long.MaxValue; // CSM_TIME_MAX
        static readonly UTF8Encoding strict = new UTF8Encoding(false, true);

        /// <summary>A status other than CSM_OK becomes an exception with this thread's error text.</summary>
        internal static void Check(int status)
        {
            if (status == 0) return;
            var error = new CryptoSmartException((Status)status, Text(NativeMethodsPINVOKE.csm_error_message()));
            Call call = Call.Current;
            throw call == null || status != (int)Status.Cancelled ? error : call.Cancellation(error);
        }

        internal static UIntPtr Size(long value)
        {
            if (value < 0) throw new ArgumentOutOfRangeException(nameof(value), value, "a size cannot be negative");
            return checked((UIntPtr)(ulong)value);
        }

        /// <summary>Zero-terminated; null stays null.</summary>
        internal static byte[] Utf8(string text)
        {
            if (text == null) return null;
            if (text.IndexOf('\0') >= 0) throw new ArgumentException("text for the library cannot hold a zero character");
            var bytes = new byte[strict.GetByteCount(text) + 1];
            strict.GetBytes(text, 0, text.Length, bytes, 0);
            return bytes;
        }

        internal static string Text(IntPtr text) => Text((byte*)text);

        internal static string Text(byte* text)
        {
            if (text == null) return null;
            int length = 0;
            while (text[length] != 0) length++;
            return length == 0 ? "" : Encoding.UTF8.GetString(text, length);
        }

        internal static DateTimeOffset Time(long nanoseconds)
        {
            long ticks = nanoseconds >= 0 ? nanoseconds / 100 : -((-nanoseconds + 99) / 100);
            return new DateTimeOffset(TicksPerEpoch + ticks, TimeSpan.Zero);
        }

        /// <summary>CSM_TIME_MIN (unknown, never) and CSM_TIME_MAX (no end) are null.</summary>
        internal static DateTimeOffset? TimeOrNull(long nanoseconds) =>
            nanoseconds == Unknown || nanoseconds == Unlimited ? (DateTimeOffset?)null : Time(nanoseconds);

        internal static long Nanoseconds(DateTimeOffset time)
        {
            try
            {
                return checked((time.UtcTicks - TicksPerEpoch) * 100);
            }
            catch (OverflowException)
            {
                throw new ArgumentOutOfRangeException(nameof(time), time, "a time lies within the years 1678 and 2261");
            }
        }

        internal static long Nanoseconds(DateTimeOffset? time, long standard) => time.HasValue ? Nanoseconds(time.Value) : standard;

        internal static long Nanoseconds(TimeSpan span)
        {
            try
            {
                return checked(span.Ticks * 100);
            }
            catch (OverflowException)
            {
                throw new ArgumentOutOfRangeException(nameof(span), span, "a duration is at most 292 years");
            }
        }

        internal static TimeSpan Span(long nanoseconds) => new TimeSpan(nanoseconds / 100);

        internal static T NotNull<T>(T value, string name) where T : class
        {
            if (value == null) throw new ArgumentNullException(name);
            return value;
        }
    }
}
