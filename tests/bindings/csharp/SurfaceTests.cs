// SPDX-License-Identifier: MIT
// What of the C interface is there.
using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using CryptoSmart;
using CryptoSmart.Interop;

static class SurfaceTests
{
    static readonly string source = Environment.GetEnvironmentVariable("CSM_SOURCE_DIR");

    // Functions that C# cannot reach, with the reason; there is none.
    static readonly Dictionary<string, string> elsewhere = new Dictionary<string, string>();

    [Test]
    static void every_public_function_is_reachable()
    {
        var methods = new HashSet<string>();
        foreach (MethodInfo method in typeof(NativeMethods).GetMethods(BindingFlags.Static | BindingFlags.Public)) methods.Add(method.Name);
        // what disposing an object calls
        Type freed = typeof(NativeMethods).Assembly.GetType("CryptoSmart.Interop.Freed");
        methods.UnionWith((string[])freed.GetField("Functions", BindingFlags.Static | BindingFlags.NonPublic).GetValue(null));
        var missing = new List<string>();
        int count = 0;
        foreach (string line in File.ReadAllLines(Path.Combine(source, "docs", "symbols.txt")))
        {
            string symbol = line.Split(' ')[0];
            if (!symbol.StartsWith("csm_", StringComparison.Ordinal)) continue;
            count++;
            if (!methods.Contains(symbol) && !elsewhere.ContainsKey(symbol)) missing.Add(symbol);
            if (methods.Contains(symbol) && elsewhere.ContainsKey(symbol)) missing.Add(symbol + " (listed without need)");
        }
        Check.That(count > 300, "docs/symbols.txt lists " + count + " functions only");
        Check.Equal("", string.Join(" ", missing), "not reachable");
    }

    [Test]
    static void no_signature_holds_a_type_that_has_no_meaning_in_csharp()
    {
        foreach (Type type in typeof(NativeMethods).Assembly.GetTypes())
            Check.That(!type.Name.StartsWith("SWIGTYPE", StringComparison.Ordinal), type.Name + " is a type without a typemap");
    }

    [Test]
    static void structs_have_the_layout_that_c_gives_them()
    {
        Type layout = typeof(NativeMethods).Assembly.GetType("CryptoSmart.Interop.Layout");
        var names = (string[])layout.GetField("Names", BindingFlags.Static | BindingFlags.NonPublic).GetValue(null);
        MethodInfo managed = layout.GetMethod("Managed", BindingFlags.Static | BindingFlags.NonPublic);
        MethodInfo native = typeof(NativeMethods).GetMethod("csm_csharp_layout", BindingFlags.Static | BindingFlags.NonPublic);
        Check.That(names.Length > 60, names.Length + " structs only");
        for (int i = 0; i < names.Length; i++)
        {
            var values = (long[])managed.Invoke(null, new object[] { i });
            for (int f = 0; f < values.Length; f++)
                Check.Equal((long)native.Invoke(null, new object[] { i, f }), values[f], names[i] + (f == 0 ? " size" : " field " + (f - 1)));
            Check.Equal(-1L, (long)native.Invoke(null, new object[] { i, values.Length }), names[i] + " has more fields in C");
        }
    }

    [Test]
    static void the_version_is_that_of_the_tree()
    {
        string cmake = File.ReadAllText(Path.Combine(source, "CMakeLists.txt"));
        Check.That(cmake.Contains("VERSION " + Library.Version + " "), Library.Version);
        string project = File.ReadAllText(Path.Combine(source, "bindings", "csharp", "CryptoSmart.csproj"));
        Check.That(project.Contains("<Version>" + Library.Version + "</Version>"), "CryptoSmart.csproj has another version");
    }
}
