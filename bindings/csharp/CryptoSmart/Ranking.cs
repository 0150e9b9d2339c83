// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using CryptoSmart.Interop;

namespace CryptoSmart
{
    /// <summary>What one member of the ensemble says alone, and how much it counts.</summary>
    public sealed class MemberForecast
    {
        /// <summary>Name, such as "trees".</summary>
        public string Name { get; internal set; }

        /// <summary>Raw score, log-odds.</summary>
        public double Score { get; internal set; }

        /// <summary>Weight in the ensemble's score.</summary>
        public double ScoreWeight { get; internal set; }

        /// <summary>Expected log return.</summary>
        public double ExpectedReturn { get; internal set; }

        /// <summary>Weight in the ensemble's expected return.</summary>
        public double ReturnWeight { get; internal set; }
    }

    /// <summary>How much one feature moved a member's score away from its mean (TreeSHAP), in log-odds.</summary>
    public sealed class Contribution
    {
        /// <summary>Feature, such as "rsi_14".</summary>
        public string Feature { get; internal set; }

        /// <summary>The feature's value.</summary>
        public double Value { get; internal set; }

        /// <summary>What it added to the score.</summary>
        public double Amount { get; internal set; }

        internal static unsafe Contribution From(csm_contribution* row) => new Contribution
        {
            Feature = Wire.Text(row->feature), Value = row->value, Amount = row->contribution,
        };
    }

    /// <summary>A forecast of one coin over one horizon. Returns and costs are logarithmic; NaN means unknown.</summary>
    public sealed unsafe class HorizonForecast
    {
        internal static HorizonForecast From(csm_horizon_forecast* row)
        {
            var members = new List<MemberForecast>();
            csm_member_forecast* member = &row->members_0;
            for (int i = 0; i < row->member_count; i++)
            {
                members.Add(new MemberForecast
                {
                    Name = Wire.Text(member[i].name), Score = member[i].score, ScoreWeight = member[i].score_weight,
                    ExpectedReturn = member[i].expected_return, ReturnWeight = member[i].return_weight,
                });
            }
            var contributions = new List<Contribution>();
            csm_contribution* contribution = &row->contributions_0;
            for (int i = 0; i < row->contribution_count; i++) contributions.Add(Contribution.From(contribution + i));
            return new HorizonForecast
            {
                Horizon = Wire.Span(row->horizon), ExpectedReturn = row->expected_return, Low = row->low, High = row->high,
                Probability = row->probability, Lower = row->lower, Cost = row->cost, Evidence = (EvidenceStatus)row->evidence,
                Members = members, Contributions = contributions, Explained = Wire.Text(row->explained),
            };
        }

        /// <summary>Length of the horizon.</summary>
        public TimeSpan Horizon { get; private set; }

        /// <summary>Expected log return; NaN: no forecast.</summary>
        public double ExpectedReturn { get; private set; }

        /// <summary>Lower end of the conformal interval of the return.</summary>
        public double Low { get; private set; }

        /// <summary>Upper end of the conformal interval of the return.</summary>
        public double High { get; private set; }

        /// <summary>Calibrated probability that the return exceeds the cost; NaN: no forecast.</summary>
        public double Probability { get; private set; }

        /// <summary>One-sided 95 % lower bound for the precision of such predictions; NaN: unknown.</summary>
        public double Lower { get; private set; }

        /// <summary>Round-trip cost that the event counts, log.</summary>
        public double Cost { get; private set; }

        /// <summary>Evidence behind forecasts of this horizon.</summary>
        public EvidenceStatus Evidence { get; private set; }

        /// <summary>Members of the ensemble; empty without a forecast.</summary>
        public IReadOnlyList<MemberForecast> Members { get; private set; }

        /// <summary>Member that the contributions are of; "" when none can be explained so.</summary>
        public string Explained { get; private set; }

        /// <summary>Greatest contributions of features, greatest first.</summary>
        public IReadOnlyList<Contribution> Contributions { get; private set; }
    }

    /// <summary>One coin at one decision time.</summary>
    public sealed unsafe class Forecast
    {
        internal static Forecast From(csm_forecast* row)
        {
            var horizons = new List<HorizonForecast>();
            csm_horizon_forecast* horizon = &row->horizons_0;
            for (int i = 0; i < row->horizon_count; i++) horizons.Add(HorizonForecast.From(horizon + i));
            return new Forecast
            {
                Coin = Wire.Text(row->coin), Market = Wire.Text(row->market), Epoch = row->epoch, Time = Wire.Time(row->time),
                LastUpdate = Wire.TimeOrNull(row->last_update), Price = row->price, Agreement = (int)row->agreement,
                Horizons = horizons, Show = (Reasons)row->show, Trade = (Reasons)row->trade, TradedValue = row->gate.traded_value,
            };
        }

        /// <summary>Coin, such as "BTC".</summary>
        public string Coin { get; private set; }

        /// <summary>Market, such as "kraken:BTC/USD".</summary>
        public string Market { get; private set; }

        /// <summary>Listing epoch of the market.</summary>
        public int Epoch { get; private set; }

        /// <summary>Time of the decision.</summary>
        public DateTimeOffset Time { get; private set; }

        /// <summary>Close of the last traded bar; null: none.</summary>
        public DateTimeOffset? LastUpdate { get; private set; }

        /// <summary>Price last traded.</summary>
        public double Price { get; private set; }

        /// <summary>Median daily traded value in quote currency; NaN: unknown.</summary>
        public double TradedValue { get; private set; }

        /// <summary>Horizons with a probability of at least one half and a positive return.</summary>
        public int Agreement { get; private set; }

        /// <summary>A forecast for each horizon, shortest first.</summary>
        public IReadOnlyList<HorizonForecast> Horizons { get; private set; }

        /// <summary>Reasons against showing it; none: it is shown.</summary>
        public Reasons Show { get; private set; }

        /// <summary>Further reasons against a trade.</summary>
        public Reasons Trade { get; private set; }

        /// <summary>The forecast of one horizon; null when it has none.</summary>
        public HorizonForecast At(TimeSpan horizon)
        {
            foreach (HorizonForecast row in Horizons)
                if (row.Horizon == horizon) return row;
            return null;
        }
    }

    /// <summary>How many coins one condition of the gate stopped.</summary>
    public sealed class FunnelStep
    {
        /// <summary>The condition.</summary>
        public Reasons Reason { get; internal set; }

        /// <summary>Its name, such as "PROBABILITY_LOW".</summary>
        public string Name { get; internal set; }

        /// <summary>One sentence.</summary>
        public string Text { get; internal set; }

        /// <summary>Coins that fall here first.</summary>
        public int Fell { get; internal set; }

        /// <summary>Coins that fail this condition at all.</summary>
        public int Failed { get; internal set; }

        /// <summary>Coins left after it.</summary>
        public int Left { get; internal set; }
    }

    /// <summary>
    /// What passed the gate, highest expected return first, everything else that was considered, and why it fell. Nothing shown is a
    /// normal result: no reliable opportunities.
    /// </summary>
    public sealed unsafe class Ranking
    {
        internal Ranking(csm_ranking ranking)
        {
            using (new Kept(ranking))
            {
                var shown = new List<Forecast>();
                for (long i = 0; i < NativeMethods.csm_ranking_count(ranking); i++)
                    shown.Add(Forecast.From(NativeMethods.csm_ranking_at(ranking, i)));
                var all = new List<Forecast>();
                for (long i = 0; i < NativeMethods.csm_ranking_total(ranking); i++)
                    all.Add(Forecast.From(NativeMethods.csm_ranking_all_at(ranking, i)));
                var funnel = new List<FunnelStep>();
                for (long i = 0; i < NativeMethods.csm_ranking_funnel_count(ranking); i++)
                {
                    csm_funnel_step* step = NativeMethods.csm_ranking_funnel_at(ranking, i);
                    funnel.Add(new FunnelStep
                    {
                        Reason = (Reasons)(1UL << (int)step->reason), Name = NativeMethods.csm_reason_name(step->reason),
                        Text = NativeMethods.csm_reason_text(step->reason), Fell = (int)step->fell, Failed = (int)step->failed,
                        Left = (int)step->left,
                    });
                }
                Shown = shown;
                All = all;
                Funnel = funnel;
            }
        }

        /// <summary>Coins that passed, in order.</summary>
        public IReadOnlyList<Forecast> Shown { get; }

        /// <summary>All coins that were considered.</summary>
        public IReadOnlyList<Forecast> All { get; }

        /// <summary>Where the others fell, in the order of the conditions.</summary>
        public IReadOnlyList<FunnelStep> Funnel { get; }
    }

    /// <summary>Why a coin's forecast is what it is.</summary>
    public sealed unsafe class Explanation
    {
        internal Explanation(csm_explanation explanation)
        {
            using (new Kept(explanation))
            {
                Forecast = Forecast.From(NativeMethods.csm_explanation_forecast(explanation));
                Horizon = HorizonForecast.From(NativeMethods.csm_explanation_horizon(explanation));
                Base = NativeMethods.csm_explanation_base(explanation);
                var contributions = new List<Contribution>();
                for (long i = 0; i < NativeMethods.csm_explanation_count(explanation); i++)
                    contributions.Add(Contribution.From(NativeMethods.csm_explanation_at(explanation, i)));
                Contributions = contributions;
            }
        }

        /// <summary>Everything forecast for the coin.</summary>
        public Forecast Forecast { get; }

        /// <summary>The horizon that is explained.</summary>
        public HorizonForecast Horizon { get; }

        /// <summary>Mean score of the explained member; with all contributions it adds up to the member's score. NaN without any.</summary>
        public double Base { get; }

        /// <summary>Contribution of every feature, greatest first.</summary>
        public IReadOnlyList<Contribution> Contributions { get; }
    }

    /// <summary>Names and sentences of reasons.</summary>
    public static class ReasonText
    {
        /// <summary>Name and sentence of each reason that is set.</summary>
        public static IReadOnlyList<KeyValuePair<string, string>> Describe(this Reasons reasons)
        {
            var list = new List<KeyValuePair<string, string>>();
            for (int bit = 0; bit < 64; bit++)
            {
                if (((ulong)reasons >> bit & 1) == 0) continue;
                string name = NativeMethods.csm_reason_name((uint)bit);
                if (name != null) list.Add(new KeyValuePair<string, string>(name, NativeMethods.csm_reason_text((uint)bit)));
            }
            return list;
        }
    }
}
