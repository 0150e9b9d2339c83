// SPDX-License-Identifier: MIT
using System;
using System.Collections;
using System.Collections.Generic;
using System.Text;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>One setting that exists: its name, kind, range, default and meaning.</summary>
    public sealed class Option
    {
        /// <summary>Name, such as "gate.threshold".</summary>
        public string Name { get; internal set; }

        /// <summary>One sentence.</summary>
        public string Text { get; internal set; }

        /// <summary>Default value as text.</summary>
        public string Standard { get; internal set; }

        /// <summary>Kind of its values.</summary>
        public OptionType Type { get; internal set; }

        /// <summary>Least value of numbers, and of durations in seconds.</summary>
        public double Minimum { get; internal set; }

        /// <summary>Greatest value of numbers, and of durations in seconds.</summary>
        public double Maximum { get; internal set; }
    }

    /// <summary>Every setting of a workspace's work. Begins with the defaults.</summary>
    public sealed unsafe class Config : IDisposable
    {
        static readonly Lazy<IReadOnlyList<Option>> options = new Lazy<IReadOnlyList<Option>>(List);

        readonly csm_config handle;
        readonly Gate gate = new Gate("this Config");

        /// <summary>The defaults.</summary>
        public Config()
        {
            NativeMethods.csm_config_new(out handle);
        }

        /// <summary>Frees it; a workspace that was opened with it has its own copy.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>Every setting that exists.</summary>
        public static IReadOnlyList<Option> Options => options.Value;

        /// <summary>A value as text.</summary>
        /// <exception cref="KeyNotFoundException">There is no such setting.</exception>
        /// <exception cref="CryptoSmartException">The value is of the wrong kind or out of range.</exception>
        public string this[string name]
        {
            get
            {
                using (gate.Enter())
                {
                    string value = NativeMethods.csm_config_get(handle, Wire.NotNull(name, nameof(name)));
                    if (value == null) throw new KeyNotFoundException("there is no setting '" + name + "'");
                    return value;
                }
            }
            set
            {
                using (gate.Enter())
                {
                    NativeMethods.csm_config_set(handle, Wire.NotNull(name, nameof(name)), Wire.NotNull(value, nameof(value)));
                }
            }
        }

        /// <summary>A value that is a duration, such as "gate.horizon".</summary>
        /// <exception cref="CryptoSmartException">Parse: it is none.</exception>
        public TimeSpan Duration(string name)
        {
            long nanoseconds;
            NativeMethods.csm_interval_parse(&nanoseconds, this[name]);
            return Wire.Span(nanoseconds);
        }

        /// <summary>Reads a YAML file over what is there. All errors are reported at once, one a line, with line and column.</summary>
        public Config Load(string path)
        {
            using (gate.Enter()) NativeMethods.csm_config_load(handle, Wire.NotNull(path, nameof(path)));
            return this;
        }

        /// <summary>Reads YAML text over what is there.</summary>
        /// <param name="yaml">The text.</param>
        /// <param name="name">What errors call it.</param>
        public Config Parse(string yaml, string name = "text")
        {
            Wire.NotNull(yaml, nameof(yaml));
            using (gate.Enter()) NativeMethods.csm_config_parse(handle, yaml, Encoding.UTF8.GetByteCount(yaml), name);
            return this;
        }

        /// <summary>Takes the CRYPTOSMART__SECTION__KEY variables of this process.</summary>
        public Config LoadEnvironment()
        {
            var rows = new List<string>();
            foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
                rows.Add(variable.Key + "=" + variable.Value);
            rows.Sort(StringComparer.Ordinal);
            using (var text = new TextList(rows))
            using (gate.Enter())
            {
                NativeMethods.csm_config_environment(handle, text.Pointer);
            }
            return this;
        }

        /// <summary>SHA-256 (hex) over all names and values.</summary>
        public string Hash
        {
            get
            {
                byte* hex = stackalloc byte[65];
                using (gate.Enter()) NativeMethods.csm_config_hash(hex, 65, handle);
                return Wire.Text(hex);
            }
        }

        /// <summary>The low-level object, for <see cref="NativeMethods"/>.</summary>
        public csm_config Native => handle;

        static IReadOnlyList<Option> List()
        {
            var list = new List<Option>();
            for (long i = 0; i < NativeMethods.csm_config_option_count(); i++)
            {
                csm_option* row = NativeMethods.csm_config_option_at(i);
                list.Add(new Option
                {
                    Name = Wire.Text(row->name),
                    Text = Wire.Text(row->text),
                    Standard = Wire.Text(row->standard),
                    Type = (OptionType)row->type,
                    Minimum = row->minimum,
                    Maximum = row->maximum,
                });
            }
            return list;
        }
    }
}
