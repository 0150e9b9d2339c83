// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace CryptoSmart.Interop
{
    /// <summary>Texts as the C interface takes them: pointers to UTF-8, with a null pointer behind the last.</summary>
    internal sealed unsafe class TextList : IDisposable
    {
        readonly List<GCHandle> pinned = new List<GCHandle>();
        IntPtr[] pointers;

        internal TextList(IReadOnlyList<string> texts)
        {
            pointers = new IntPtr[texts.Count + 1];
            for (int i = 0; i < texts.Count; i++)
                pointers[i] = Pin(Wire.Utf8(Wire.NotNull(texts[i], "text")));
            Pointer = (byte**)Pin(pointers);
        }

        internal byte** Pointer { get; private set; }

        IntPtr Pin(object array)
        {
            GCHandle handle = GCHandle.Alloc(array, GCHandleType.Pinned);
            pinned.Add(handle);
            return handle.AddrOfPinnedObject();
        }

        public void Dispose()
        {
            foreach (GCHandle handle in pinned) handle.Free();
            pinned.Clear();
            Pointer = null;
            pointers = null;
        }
    }
}
