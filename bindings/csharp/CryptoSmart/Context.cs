// SPDX-License-Identifier: MIT
using System;
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>How far a call is.</summary>
    public struct Progress
    {
        internal Progress(string what, ulong done, ulong total)
        {
            What = what;
            Done = done;
            Total = total;
        }

        /// <summary>What is counted.</summary>
        public string What { get; }

        /// <summary>Units done.</summary>
        public ulong Done { get; }

        /// <summary>Units in all; 0 when unknown.</summary>
        public ulong Total { get; }

        /// <summary>Share done, 0..1; NaN when the total is unknown.</summary>
        public double Fraction => Total == 0 ? double.NaN : Math.Min(1, (double)Done / Total);
    }

    /// <summary>One line of the log.</summary>
    public sealed class LogEventArgs : EventArgs
    {
        internal LogEventArgs(LogLevel level, string module, string text)
        {
            Level = level;
            Module = module;
            Text = text;
        }

        /// <summary>How grave it is.</summary>
        public LogLevel Level { get; }

        /// <summary>The stage it comes from.</summary>
        public string Module { get; }

        /// <summary>One line, without secrets.</summary>
        public string Text { get; }
    }

    /// <summary>Settings of a <see cref="Context"/>.</summary>
    public sealed class ContextOptions
    {
        /// <summary>Seed of every random stream; 1.</summary>
        public ulong Seed { get; set; } = 1;

        /// <summary>Worker threads; 0 means as many as processors.</summary>
        public int Threads { get; set; }

        /// <summary>Least grave level that is logged; warnings.</summary>
        public LogLevel LogLevel { get; set; } = LogLevel.Warn;
    }

    /// <summary>
    /// Threads, seed, clock, log and progress of calls. One thread uses a context at a time; another is refused with an
    /// <see cref="InvalidOperationException"/>, except for <see cref="Cancel"/>.
    /// </summary>
    public sealed unsafe class Context : IDisposable
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        delegate void LogFunction(IntPtr user, int level, IntPtr module, IntPtr text);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        delegate int ProgressFunction(IntPtr user, IntPtr what, ulong done, ulong total);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        delegate long ClockFunction(IntPtr user);

        // Native code keeps a number rather than a pointer to an object: a context that C still holds may outlive this one.
        static readonly ConcurrentDictionary<long, WeakReference> contexts = new ConcurrentDictionary<long, WeakReference>();
        static readonly LogFunction logFunction = OnLog;
        static readonly ProgressFunction progressFunction = OnProgress;
        static readonly ClockFunction clockFunction = OnClock;
        static long numbers;

        readonly csm_context handle;
        readonly long number = Interlocked.Increment(ref numbers);
        readonly Gate gate = new Gate("this Context");
        Call call;
        Func<DateTimeOffset> clock;

        /// <summary>Makes a context.</summary>
        /// <param name="options">Null for the defaults.</param>
        /// <exception cref="CryptoSmartException">An option is out of range.</exception>
        public Context(ContextOptions options = null)
        {
            csm_context_options native;
            NativeMethods.csm_context_options_init(&native);
            if (options != null)
            {
                if (options.Threads < 0) throw new ArgumentOutOfRangeException(nameof(options), options.Threads, "threads cannot be negative");
                native.seed = options.Seed;
                native.threads = (uint)options.Threads;
                native.log_level = (uint)options.LogLevel;
            }
            NativeMethods.csm_context_new(out handle, &native);
            contexts[number] = new WeakReference(this);
            NativeMethods.csm_context_set_log(handle, Marshal.GetFunctionPointerForDelegate(logFunction), (void*)number);
            NativeMethods.csm_context_set_progress(handle, Marshal.GetFunctionPointerForDelegate(progressFunction), (void*)number);
        }

        /// <summary>Ends it. What was made with it goes on working.</summary>
        public void Dispose()
        {
            WeakReference gone;
            contexts.TryRemove(number, out gone);
            handle.Dispose();
            GC.SuppressFinalize(this);
        }

        /// <summary>Forgets the callbacks.</summary>
        ~Context()
        {
            WeakReference gone;
            contexts.TryRemove(number, out gone);
        }

        /// <summary>Called on the thread that called into the library. An exception of a handler cancels that call and comes out of it.</summary>
        public event EventHandler<LogEventArgs> Log;

        /// <summary>Seed of every random stream.</summary>
        public ulong Seed => NativeMethods.csm_context_seed(handle);

        /// <summary>Worker threads.</summary>
        public int Threads => (int)NativeMethods.csm_context_threads(handle);

        /// <summary>Time by the context's clock.</summary>
        public DateTimeOffset Now => clock != null ? clock() : Wire.Time(NativeMethods.csm_context_now(handle));

        /// <summary>Replaces the system's clock, for replays; null brings it back.</summary>
        public void SetClock(Func<DateTimeOffset> now)
        {
            using (gate.Enter())
            {
                clock = now;
                NativeMethods.csm_context_set_clock(handle, now == null ? IntPtr.Zero : Marshal.GetFunctionPointerForDelegate(clockFunction),
                                                    (void*)number);
            }
        }

        /// <summary>Asks the running call, and every later one until <see cref="Resume"/>, to end. From any thread.</summary>
        public void Cancel() => NativeMethods.csm_context_cancel(handle);

        /// <summary>Takes <see cref="Cancel"/> back.</summary>
        public void Resume() => NativeMethods.csm_context_resume(handle);

        /// <summary>The low-level object, for <see cref="NativeMethods"/>.</summary>
        public csm_context Native => handle;

        /// <summary>Takes the context for one call on this thread: using (context.Begin(progress, token)) NativeMethods...</summary>
        internal Call Begin(IProgress<Progress> progress, CancellationToken token)
        {
            token.ThrowIfCancellationRequested();
            if (handle.IsClosed) throw new ObjectDisposedException(nameof(Context));
            Gate.Entry entry = gate.Enter();
            call = new Call(this, progress, token, entry);
            try
            {
                call.Listen();
            }
            catch
            {
                call.Dispose(); // the token's source is gone
                throw;
            }
            return call;
        }

        internal Call Begin() => Begin(null, CancellationToken.None);

        internal void End() => call = null;

        internal void CancelQuietly()
        {
            try
            {
                Cancel();
            }
            catch (ObjectDisposedException)
            {
                // its owner gave it up in the meantime
            }
        }

        internal void ResumeQuietly()
        {
            try
            {
                Resume();
            }
            catch (ObjectDisposedException)
            {
                // as above
            }
        }

        static Context Find(IntPtr user)
        {
            WeakReference found;
            return contexts.TryGetValue((long)user, out found) ? (Context)found.Target : null;
        }

        // No exception may leave these three: native frames are above them.

        static void OnLog(IntPtr user, int level, IntPtr module, IntPtr text)
        {
            Context context = null;
            try
            {
                context = Find(user);
                EventHandler<LogEventArgs> handlers = context?.Log;
                if (handlers != null) handlers(context, new LogEventArgs((LogLevel)level, Wire.Text(module), Wire.Text(text)));
            }
            catch (Exception error)
            {
                context?.call?.Fail(error);
            }
        }

        static int OnProgress(IntPtr user, IntPtr what, ulong done, ulong total)
        {
            Call running = null;
            try
            {
                running = Find(user)?.call;
                if (running == null) return 0;
                if (running.Failed || running.Token.IsCancellationRequested) return 1;
                running.Progress?.Report(new Progress(Wire.Text(what), done, total));
                return 0;
            }
            catch (Exception error)
            {
                running?.Fail(error);
                return 1;
            }
        }

        static long OnClock(IntPtr user)
        {
            Context context = null;
            try
            {
                context = Find(user);
                Func<DateTimeOffset> now = context?.clock;
                return Wire.Nanoseconds(now == null ? DateTimeOffset.UtcNow : now());
            }
            catch (Exception error)
            {
                context?.call?.Fail(error);
                return Wire.Nanoseconds(DateTimeOffset.UtcNow);
            }
        }
    }

    /// <summary>One call: who is told of progress, who may cancel it, and what a callback threw.</summary>
    internal sealed class Call : IDisposable
    {
        [ThreadStatic] static Call current;

        readonly Context context;
        readonly Gate.Entry entry;
        readonly Call outer;
        CancellationTokenRegistration registration;
        ExceptionDispatchInfo thrown;
        bool told;

        internal Call(Context context, IProgress<Progress> progress, CancellationToken token, Gate.Entry entry)
        {
            this.context = context;
            this.entry = entry;
            Progress = progress;
            Token = token;
            outer = current;
            current = this;
        }

        internal static Call Current => current;

        internal IProgress<Progress> Progress { get; }

        internal CancellationToken Token { get; }

        internal bool Failed => thrown != null;

        internal void Listen()
        {
            if (Token.CanBeCanceled) registration = Token.Register(context.CancelQuietly);
        }

        internal void Fail(Exception error)
        {
            if (thrown == null) thrown = ExceptionDispatchInfo.Capture(error);
            context.CancelQuietly();
        }

        /// <summary>What a call that ended with CSM_ECANCELLED throws.</summary>
        internal Exception Cancellation(CryptoSmartException error)
        {
            told = true;
            return thrown != null ? thrown.SourceException : new OperationCanceledException(error.Message, error, Token);
        }

        /// <summary>Gives the context back. Throws what a callback threw, when the call ended well all the same.</summary>
        public void Dispose()
        {
            registration.Dispose(); // waits for a cancel that is under way
            if (Failed || Token.IsCancellationRequested) context.ResumeQuietly();
            current = outer;
            context.End();
            entry.Dispose();
            if (thrown != null && !told) thrown.Throw();
        }
    }
}
