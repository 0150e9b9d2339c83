// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace CryptoSmart.Interop
{
    /// <summary>
    /// An object of the library. The runtime counts each call that uses it, so that disposing it during a call, in any order with
    /// others, or never, is safe; a call after that is an <see cref="ObjectDisposedException"/>.
    /// </summary>
    public abstract class Handle : SafeHandle
    {
        Handle owner;

        /// <summary>Refers to nothing yet.</summary>
        protected Handle() : base(IntPtr.Zero, true) { }

        /// <summary>Whether it refers to nothing.</summary>
        public override bool IsInvalid => handle == IntPtr.Zero;

        /// <summary>Frees the object.</summary>
        protected abstract void Free(IntPtr pointer);

        /// <summary>Called by the runtime once nobody uses the object any more.</summary>
        protected override bool ReleaseHandle()
        {
            if (owner == null) Free(handle);
            else owner.DangerousRelease();
            return true;
        }

        /// <summary>Refers to what `keeper` owns, and keeps that alive as long as this is.</summary>
        internal void Borrow(IntPtr pointer, Handle keeper)
        {
            bool kept = false;
            keeper.DangerousAddRef(ref kept);
            owner = keeper;
            SetHandle(pointer);
        }
    }

    /// <summary>Keeps a handle's object alive while its memory is read.</summary>
    internal struct Kept : IDisposable
    {
        readonly Handle handle;

        internal Kept(Handle handle)
        {
            bool kept = false;
            handle.DangerousAddRef(ref kept);
            this.handle = handle;
        }

        public void Dispose() => handle.DangerousRelease();
    }

    /// <summary>Lets one thread at a time into an object that is not made for several.</summary>
    internal sealed class Gate
    {
        readonly string name;
        int thread;

        internal Gate(string name)
        {
            this.name = name;
        }

        internal Entry Enter()
        {
            int me = Environment.CurrentManagedThreadId;
            int holder = Interlocked.CompareExchange(ref thread, me, 0);
            if (holder == me) throw new InvalidOperationException(name + " is in a call already: it cannot be used from a callback of its own call");
            if (holder != 0) throw new InvalidOperationException(name + " is in use by another thread: one thread at a time");
            return new Entry(this);
        }

        internal struct Entry : IDisposable
        {
            readonly Gate gate;

            internal Entry(Gate gate)
            {
                this.gate = gate;
            }

            public void Dispose() => Volatile.Write(ref gate.thread, 0);
        }
    }
}
