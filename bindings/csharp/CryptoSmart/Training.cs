// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>A value with its 90 % band of a block bootstrap.</summary>
    public struct Band
    {
        internal Band(csm_band band)
        {
            Value = band.value;
            Low = band.low;
            High = band.high;
        }

        /// <summary>The value.</summary>
        public double Value { get; }

        /// <summary>5 % of the bootstrap.</summary>
        public double Low { get; }

        /// <summary>95 % of the bootstrap.</summary>
        public double High { get; }
    }

    /// <summary>One bin of a reliability diagram.</summary>
    public struct ReliabilityBin
    {
        internal ReliabilityBin(csm_reliability_bin bin)
        {
            Count = (long)bin.count;
            Probability = bin.probability;
            Frequency = bin.frequency;
            Low = bin.low;
            High = bin.high;
        }

        /// <summary>Forecasts in it.</summary>
        public long Count { get; }

        /// <summary>Mean probability.</summary>
        public double Probability { get; }

        /// <summary>Share that rose.</summary>
        public double Frequency { get; }

        /// <summary>Lower end of the frequency's band.</summary>
        public double Low { get; }

        /// <summary>Upper end of the frequency's band.</summary>
        public double High { get; }
    }

    /// <summary>Evidence behind issued forecasts.</summary>
    public sealed unsafe class Evidence
    {
        internal static Evidence From(csm_evidence* row) => new Evidence
        {
            Status = (EvidenceStatus)row->status, Issued = (long)row->issued, Blocks = row->blocks, Precision = row->precision,
            Lower = row->lower, Upper = row->upper, EValue = row->e_value,
        };

        /// <summary>Its status.</summary>
        public EvidenceStatus Status { get; private set; }

        /// <summary>Forecasts at or above the threshold.</summary>
        public long Issued { get; private set; }

        /// <summary>Disjoint blocks that hold them.</summary>
        public double Blocks { get; private set; }

        /// <summary>Share of them that rose; NaN when none.</summary>
        public double Precision { get; private set; }

        /// <summary>One-sided 95 % lower bound.</summary>
        public double Lower { get; private set; }

        /// <summary>One-sided 95 % upper bound.</summary>
        public double Upper { get; private set; }

        /// <summary>Largest wealth against the target so far.</summary>
        public double EValue { get; private set; }
    }

    /// <summary>How good forecasts were.</summary>
    public sealed unsafe class ScoreCard
    {
        internal ScoreCard(csm_scores* scores, Evidence evidence)
        {
            Rows = (long)scores->rows;
            Blocks = scores->blocks;
            BaseRate = scores->base_rate;
            Brier = new Band(scores->brier);
            BrierSkill = new Band(scores->brier_skill);
            LogLoss = new Band(scores->log_loss);
            CalibrationError = new Band(scores->ece);
            RankCorrelation = new Band(scores->rank_ic);
            var bins = new List<ReliabilityBin>();
            csm_reliability_bin* bin = &scores->bins_0;
            for (int i = 0; i < (int)scores->bin_count; i++) bins.Add(new ReliabilityBin(bin[i]));
            Bins = bins;
            Evidence = evidence;
        }

        /// <summary>Forecasts.</summary>
        public long Rows { get; }

        /// <summary>Disjoint horizon blocks.</summary>
        public double Blocks { get; }

        /// <summary>Share that rose.</summary>
        public double BaseRate { get; }

        /// <summary>Brier score.</summary>
        public Band Brier { get; }

        /// <summary>1 - Brier / Brier of the base rate.</summary>
        public Band BrierSkill { get; }

        /// <summary>Log loss.</summary>
        public Band LogLoss { get; }

        /// <summary>Expected calibration error, equal mass.</summary>
        public Band CalibrationError { get; }

        /// <summary>Mean over dates of Spearman's correlation between expected and realised returns.</summary>
        public Band RankCorrelation { get; }

        /// <summary>Reliability diagram.</summary>
        public IReadOnlyList<ReliabilityBin> Bins { get; }

        /// <summary>Evidence of the issued ones; null where it was not asked for.</summary>
        public Evidence Evidence { get; }
    }

    /// <summary>One walk-forward prediction: made by a model that knew nothing after its time.</summary>
    public sealed unsafe class WalkRow
    {
        internal static WalkRow From(csm_walk_row* row, csm_training training) => new WalkRow
        {
            Time = Wire.Time(row->time), Matures = Wire.Time(row->matures), Score = row->score, Probability = row->probability,
            ExpectedReturn = row->expected_return, Low = row->low, High = row->high, LogReturn = row->log_return, Cost = row->cost,
            Rises = row->rises != 0, Show = (Reasons)row->show, Coin = NativeMethods.csm_training_coin(training, row->market),
        };

        /// <summary>Decision.</summary>
        public DateTimeOffset Time { get; private set; }

        /// <summary>When its outcome was known.</summary>
        public DateTimeOffset Matures { get; private set; }

        /// <summary>Raw score, log-odds.</summary>
        public double Score { get; private set; }

        /// <summary>Probability by the calibrator fit on earlier matured predictions; NaN while there was none.</summary>
        public double Probability { get; private set; }

        /// <summary>Expected log return.</summary>
        public double ExpectedReturn { get; private set; }

        /// <summary>Lower end of the interval known then; NaN while unknown.</summary>
        public double Low { get; private set; }

        /// <summary>Upper end of the interval known then; NaN while unknown.</summary>
        public double High { get; private set; }

        /// <summary>What happened, log return.</summary>
        public double LogReturn { get; private set; }

        /// <summary>Round-trip cost, log.</summary>
        public double Cost { get; private set; }

        /// <summary>Whether it rose above its cost.</summary>
        public bool Rises { get; private set; }

        /// <summary>Gate at that time; none: it would have been shown.</summary>
        public Reasons Show { get; private set; }

        /// <summary>Coin.</summary>
        public string Coin { get; private set; }
    }

    /// <summary>What training one horizon gave.</summary>
    public sealed unsafe class HorizonTraining
    {
        internal HorizonTraining(csm_horizon_training* row)
        {
            Horizon = Wire.Span(row->horizon);
            Rows = (long)row->rows;
            WalkRows = (long)row->walk_rows;
            Folds = (int)row->folds;
            BaseRate = row->base_rate;
            Calibration = (Calibration)row->calibrator.method;
            Model = new ScoreCard(&row->model, Evidence.From(&row->evidence));
            Baseline = new ScoreCard(&row->baseline, null);
            var members = new List<string>();
            csm_member_training* member = &row->member_0;
            for (int i = 0; i < (int)row->members; i++) members.Add(Wire.Text(member[i].name));
            Members = members;
        }

        /// <summary>The horizon.</summary>
        public TimeSpan Horizon { get; }

        /// <summary>Training rows of the final model.</summary>
        public long Rows { get; }

        /// <summary>Walk-forward predictions.</summary>
        public long WalkRows { get; }

        /// <summary>Folds of the walk.</summary>
        public int Folds { get; }

        /// <summary>Share of rows that rose.</summary>
        public double BaseRate { get; }

        /// <summary>Calibration in use.</summary>
        public Calibration Calibration { get; }

        /// <summary>Scores of calibrated walk-forward predictions.</summary>
        public ScoreCard Model { get; }

        /// <summary>Scores of the base rate known at the time.</summary>
        public ScoreCard Baseline { get; }

        /// <summary>Names of the ensemble's members.</summary>
        public IReadOnlyList<string> Members { get; }
    }

    /// <summary>Trained models, calibrators and their walk-forward record. Immutable; may be shared by threads.</summary>
    public sealed unsafe class Training : IDisposable
    {
        readonly csm_training handle;

        internal Training(csm_training training)
        {
            handle = training;
            var horizons = new List<HorizonTraining>();
            using (new Kept(handle))
            {
                for (long i = 0; i < NativeMethods.csm_training_horizons(handle); i++)
                    horizons.Add(new HorizonTraining(NativeMethods.csm_training_horizon(handle, i)));
            }
            Horizons = horizons;
        }

        /// <summary>Reads a model file.</summary>
        public static Training Load(string path)
        {
            csm_training training;
            NativeMethods.csm_training_load(out training, Wire.NotNull(path, nameof(path)));
            return new Training(training);
        }

        /// <summary>Frees it.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>The low-level object, for <see cref="NativeMethods"/>.</summary>
        public csm_training Native => handle;

        /// <summary>SHA-256 (hex) of the model file.</summary>
        public string Hash => NativeMethods.csm_training_hash(handle);

        /// <summary>Data it was trained on were known then; rounded up, so that it can predict as of this time.</summary>
        public DateTimeOffset AsOf => Wire.Time(NativeMethods.csm_training_as_of(handle) + 99);

        /// <summary>Recipe of its features.</summary>
        public string Recipe => NativeMethods.csm_training_recipe(handle);

        /// <summary>Number of features.</summary>
        public int Features => (int)NativeMethods.csm_training_features(handle);

        /// <summary>What each horizon gave, shortest first.</summary>
        public IReadOnlyList<HorizonTraining> Horizons { get; }

        /// <summary>Walk-forward predictions of a horizon, by time, then market.</summary>
        public IReadOnlyList<WalkRow> Walk(int horizon)
        {
            if (horizon < 0 || horizon >= Horizons.Count)
                throw new ArgumentOutOfRangeException(nameof(horizon), horizon, "there are " + Horizons.Count + " horizons");
            long count = Horizons[horizon].WalkRows;
            var rows = new List<WalkRow>((int)count);
            using (new Kept(handle))
            {
                csm_walk_row* walk = NativeMethods.csm_training_walk(handle, horizon);
                for (long i = 0; i < count; i++) rows.Add(WalkRow.From(walk + i, handle));
            }
            return rows;
        }
    }
}
