// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;

[AttributeUsage(AttributeTargets.Method)]
sealed class TestAttribute : Attribute { }

sealed class SkipException : Exception
{
    internal SkipException(string why) : base(why) { }
}

static class Check
{
    internal static void That(bool condition, string what)
    {
        if (!condition) throw new Exception(what);
    }

    internal static void Equal<T>(T wanted, T got, string what = "value")
    {
        if (!EqualityComparer<T>.Default.Equals(wanted, got)) throw new Exception(what + ": wanted " + wanted + ", got " + got);
    }

    internal static T Throws<T>(Action action, string text = null) where T : Exception
    {
        try
        {
            action();
        }
        catch (T error)
        {
            if (text != null && error.Message.IndexOf(text, StringComparison.Ordinal) < 0)
                throw new Exception("the message '" + error.Message + "' lacks '" + text + "'");
            return error;
        }
        throw new Exception("no " + typeof(T).Name + " was thrown");
    }
}

/// tests.exe: runs every method marked [Test] of every static class; tests.exe same BARS.csv writes what Same computes;
/// tests.exe workspace FOLDER SETTINGS makes the workspace of WorkspaceTests and a file with its settings.
static class Runner
{
    static int Main(string[] arguments)
    {
        if (arguments.Length == 2 && arguments[0] == "same")
        {
            Console.OutputEncoding = new System.Text.UTF8Encoding(false);
            using (var to = new StreamWriter(Console.OpenStandardOutput())) Same.Run(arguments[1], to);
            return 0;
        }
        if (arguments.Length == 3 && arguments[0] == "workspace")
        {
            WorkspaceTests.Make(arguments[1]);
            File.WriteAllText(arguments[2], WorkspaceTests.Yaml());
            return 0;
        }
        int passed = 0, failed = 0, skipped = 0;
        foreach (Type type in typeof(Runner).Assembly.GetTypes())
        {
            foreach (MethodInfo method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            {
                if (method.GetCustomAttribute<TestAttribute>() == null) continue;
                if (arguments.Length == 1 && method.Name.IndexOf(arguments[0], StringComparison.Ordinal) < 0) continue;
                string name = type.Name + "." + method.Name;
                try
                {
                    ((Action)Delegate.CreateDelegate(typeof(Action), method))();
                    passed++;
                    Console.WriteLine("ok      " + name);
                }
                catch (SkipException skip)
                {
                    skipped++;
                    Console.WriteLine("skipped " + name + ": " + skip.Message);
                }
                catch (Exception error)
                {
                    failed++;
                    Console.WriteLine("FAILED  " + name + ": " + error);
                }
                // what a test left to finalizers must not disturb the next
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        Console.WriteLine(passed + " passed, " + failed + " failed, " + skipped + " skipped");
        return failed == 0 && passed > 0 ? 0 : 1;
    }
}
