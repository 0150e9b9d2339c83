# SPDX-License-Identifier: MIT
"""The recipe "spine-1" (without sentiment) in pandas, written from the texts of formulas.def and not from the C code: the
golden values of tests/fuse and the peer of the benchmark features-pandas. Wide frames, one column a coin; every hour of
every coin is traded."""
import numpy as np
import pandas as pd




class Panel:
    """open, high, low, close, volume: frames (hour, coin) with a UTC index of bar opens; one column is BTC."""

    def __init__(self, open_, high, low, close, volume):
        self.open, self.high, self.low, self.close, self.volume = open_, high, low, close, volume
        self.log = np.log(close)
        self.r = self.log.diff()
        self.value = close * volume
        self.factor = self.r.mean(axis=1)
        self.decision = close.index + pd.Timedelta(hours=1)

    def wide(self, series):
        """A market-wide series as the same column for every coin."""
        return pd.DataFrame({c: series for c in self.close.columns})


def log_return(p, w):
    return p.log.diff(w)


def from_high(p, w):
    return p.log - np.log(p.high.rolling(w).max())


def from_low(p, w):
    return p.log - np.log(p.low.rolling(w).min())


def range_position(p, w):
    high, low = p.high.rolling(w).max(), p.low.rolling(w).min()
    return ((p.close - low) / (high - low)).where(high > low, 0.5)


def from_mean(p, w):
    return p.log - np.log(p.close.rolling(w).mean())


def body(p):
    return np.log(p.close / p.open)


def upper_shadow(p):
    return np.log(p.high / np.maximum(p.open, p.close))


def lower_shadow(p):
    return np.log(np.minimum(p.open, p.close) / p.low)


def bar_range(p):
    return np.log(p.high / p.low)


def opening_gap(p):
    return np.log(p.open / p.close.shift())


def volatility(p, w):
    return p.r.rolling(w).std()


def volatility_ratio(p, a, b):
    return np.log(volatility(p, a) / volatility(p, b))


def downside_volatility(p, w):
    return np.sqrt((p.r.clip(upper=0) ** 2).rolling(w).mean())


def skewness(p, w):
    # pandas gives the sample skewness; the recipe's is the population's
    return p.r.rolling(w).skew() * (w - 2) / np.sqrt(w * (w - 1))


def kurtosis(p, w):
    sample = p.r.rolling(w).kurt()
    return sample * ((w - 2) * (w - 3)) / ((w + 1) * (w - 1)) - 6 / (w + 1)


def autocorrelation(p, w):
    # pairs inside the window about its mean, over its sum of squares
    r = p.r
    mean = r.rolling(w).mean()
    pairs = (r * r.shift()).rolling(w - 1).sum()
    inner = 2 * w * mean - r - r.shift(w - 1)
    return (pairs - mean * inner + (w - 1) * mean**2) / (r.rolling(w).var(ddof=0) * w)


def volatility_variation(p, a, b):
    v = volatility(p, a).rolling(b)
    return v.std(ddof=0) / v.mean()


def range_volatility(p, w):
    return np.sqrt((np.log(p.high / p.low) ** 2).rolling(w).mean() / (4 * np.log(2)))


def largest_return(p, w):
    return p.r.rolling(w).max()


def smallest_return(p, w):
    return p.r.rolling(w).min()


def rising_share(p, w):
    return (p.r > 0).astype(float).rolling(w).mean()


def volume_to_mean(p, w):
    return np.log1p(p.volume / p.volume.rolling(w).mean())


def volume_to_median(p, w):
    return np.log1p(p.volume / p.volume.rolling(w).median())


def volume_mean_ratio(p, a, b):
    return np.log1p(p.volume.rolling(a).mean() / p.volume.rolling(b).mean())


def volume_trend(p, w):
    place = pd.Series(np.arange(len(p.volume), dtype=float), index=p.volume.index)
    total = p.volume.rolling(w).sum()
    moment = p.volume.mul(place, axis=0).rolling(w).sum()
    slope = (moment - total.mul(place - (w - 1) / 2, axis=0)) / (w * (w**2 - 1) / 12)
    return slope * w / (total / w)


def volume_variation(p, w):
    v = p.volume.rolling(w)
    return v.std(ddof=0) / v.mean()


def traded_value(p, w):
    return np.log1p(p.value.rolling(w).mean())


def idle_share(p, w):
    return (p.close.isna()).astype(float).rolling(w).mean()


def illiquidity(p, w):
    # bars received with volume 0 have no ratio; the mean is over the others
    ratio = (p.r.abs() / p.value).where(p.value > 0)
    return np.log1p(1e9 * ratio.rolling(w, min_periods=1).mean()).where(p.r.rolling(w).count() == w)


def rising_volume_share(p, w):
    return p.volume.where(p.r > 0, 0.0).rolling(w).sum() / p.volume.rolling(w).sum()


def from_vwap(p, w):
    return p.log - np.log(p.value.rolling(w).sum() / p.volume.rolling(w).sum())


def return_volume_correlation(p, w):
    return p.r.rolling(w).corr(p.volume)


# ---- indicators: textbook recursions; how they are seeded no longer counts after the recipe's memory -------------------


def ema(p, n):
    return p.close.ewm(span=n, adjust=False).mean()


def wilder(x, n):
    return x.ewm(alpha=1 / n, adjust=False).mean()


def from_ema(p, n):
    return p.log - np.log(ema(p, n))


def ppo(p):
    return 100 * (ema(p, 12) / ema(p, 26) - 1)


def tsi(p):
    change = p.close.diff().iloc[1:]

    def twice(x):
        return x.ewm(span=25, adjust=False).mean().ewm(span=13, adjust=False).mean()

    return (100 * twice(change) / twice(change.abs())).reindex(p.close.index)


def rsi(p, n):
    change = p.close.diff().iloc[1:]
    gain, loss = wilder(change.clip(lower=0), n), wilder(-change.clip(upper=0), n)
    return (100 * gain / (gain + loss)).reindex(p.close.index)


def stoch(p):
    low, high = p.low.rolling(14).min(), p.high.rolling(14).max()
    k = (100 * (p.close - low) / (high - low)).rolling(3).mean()
    return k, k.rolling(3).mean()


def atr(p, n):
    before = p.close.shift()
    true_range = np.maximum(p.high, before) - np.minimum(p.low, before)
    return np.log1p(wilder(true_range.iloc[1:], n) / p.close.iloc[1:]).reindex(p.close.index)


def bbands(p, n):
    mean, reach = p.close.rolling(n).mean(), 2 * p.close.rolling(n).std(ddof=0)
    return (p.close - mean + reach) / (2 * reach), 2 * reach / mean


def directional(p, n):
    up, down, before = p.high.diff().iloc[1:], -p.low.diff().iloc[1:], p.close.shift()
    true_range = (np.maximum(p.high, before) - np.minimum(p.low, before)).iloc[1:]
    plus = 100 * wilder(up.where((up > down) & (up > 0), 0.0), n) / wilder(true_range, n)
    minus = 100 * wilder(down.where((down > up) & (down > 0), 0.0), n) / wilder(true_range, n)
    adx = wilder((100 * (plus - minus).abs() / (plus + minus)).iloc[n:], n)
    columns = (("adx", adx), ("plus_di", plus), ("minus_di", minus))
    return [(f"{name}_{n}", x.reindex(p.close.index)) for name, x in columns]


def typical(p):
    return (p.high + p.low + p.close) / 3


def cci(p, n):
    price = typical(p)
    mean = price.rolling(n).mean()
    windows = np.lib.stride_tricks.sliding_window_view(price.to_numpy(), n, axis=0)
    deviation = mean.copy()
    deviation.iloc[n - 1 :] = np.abs(windows - mean.to_numpy()[n - 1 :, :, None]).mean(axis=2)
    return (price - mean) / (0.015 * deviation)


def mfi(p, n):
    price = typical(p)
    change, flow = price.diff(), price * p.volume
    change = change.where(change.abs() > 1e-14 * price, 0.0)  # equal decimals may differ once added and divided
    gain = flow.where(change > 0, 0.0).iloc[1:].rolling(n).sum()
    loss = flow.where(change < 0, 0.0).iloc[1:].rolling(n).sum()
    return (100 * gain / (gain + loss)).reindex(p.close.index)


def cmf(p, n):
    multiplier = ((2 * p.close - p.high - p.low) / (p.high - p.low)).where(p.high > p.low, 0.0)
    return (multiplier * p.volume).rolling(n).sum() / p.volume.rolling(n).sum()


def obv_flow(p, w):
    signed = p.volume * np.sign(p.close.diff())
    return signed.rolling(w).sum() / p.volume.rolling(w).sum()


# ---- across coins ------------------------------------------------------------------------------------------------------


def factor_return(p, w):
    return p.wide(p.factor.rolling(w).sum())


def relative_strength(p, w):
    return p.log.diff(w).sub(p.factor.rolling(w).sum(), axis=0)


def beta(p, x, w):
    x_mean, y_mean = x.rolling(w).mean(), p.r.rolling(w).mean()
    covariance = p.r.mul(x, axis=0).rolling(w).mean() - y_mean.mul(x_mean, axis=0)
    return covariance.div(x.rolling(w).var(ddof=0), axis=0)


def correlation(p, x, w):
    return p.r.rolling(w).corr(x)


def specific_volatility(p, w):
    fit = beta(p, p.factor, w)
    explained = (fit**2).mul(p.factor.rolling(w).var(ddof=0), axis=0)
    return np.sqrt((p.r.rolling(w).var(ddof=0) - explained).clip(lower=0))


def breadth(p, w):
    mean = p.close.rolling(w).mean()
    return p.wide((p.close > mean).astype(float).where(mean.notna()).mean(axis=1))


def rising_breadth(p, w):
    change = p.log.diff(w)
    return p.wide((change > 0).astype(float).where(change.notna()).mean(axis=1))


def dispersion(p, w):
    return p.wide(p.log.diff(w).std(axis=1, ddof=0))


def rank(x):
    return (x.rank(axis=1) - 1).div(x.count(axis=1) - 1, axis=0)


# ---- calendar ----------------------------------------------------------------------------------------------------------


def calendar(p):
    hours = (p.decision - pd.Timestamp("1970-01-05", tz="UTC")) / pd.Timedelta(hours=1)
    hours = pd.Series(np.asarray(hours), index=p.close.index)
    day, week = 2 * np.pi * (hours % 24) / 24, 2 * np.pi * (hours % 168) / 168
    return [("hour_sine", np.sin(day)), ("hour_cosine", np.cos(day)), ("week_sine", np.sin(week)),
            ("week_cosine", np.cos(week))]


def spine_1(p):
    """[(name, frame (hour, coin))] in the order of spine_1.def, without sentiment."""
    out = [(f"return_{w}", log_return(p, w)) for w in (1, 2, 4, 8, 12, 24, 48, 72, 168, 336, 720)]
    out += [(f"from_high_{w}", from_high(p, w)) for w in (24, 168, 720)]
    out += [(f"from_low_{w}", from_low(p, w)) for w in (24, 168, 720)]
    out += [("range_position_168", range_position(p, 168))]
    out += [(f"from_mean_{w}", from_mean(p, w)) for w in (24, 168, 720)]
    out += [(f.__name__, f(p)) for f in (body, upper_shadow, lower_shadow, bar_range, opening_gap)]
    out += [(f"volatility_{w}", volatility(p, w)) for w in (24, 72, 168, 720)]
    out += [(f"volatility_ratio_{a}_{b}", volatility_ratio(p, a, b)) for a, b in ((24, 168), (168, 720))]
    for f in (downside_volatility, skewness, kurtosis, autocorrelation):
        out += [(f"{f.__name__}_{w}", f(p, w)) for w in (168, 720)]
    out += [("volatility_variation_24_168", volatility_variation(p, 24, 168))]
    out += [(f"range_volatility_{w}", range_volatility(p, w)) for w in (24, 168)]
    out += [("largest_return_168", largest_return(p, 168)), ("smallest_return_168", smallest_return(p, 168))]
    out += [("rising_share_168", rising_share(p, 168))]

    out += [("volume_to_mean_24", volume_to_mean(p, 24))]
    out += [("volume_to_median_168", volume_to_median(p, 168))]
    out += [(f"volume_mean_ratio_{a}_{b}", volume_mean_ratio(p, a, b)) for a, b in ((24, 168), (168, 720))]
    out += [(f"volume_trend_{w}", volume_trend(p, w)) for w in (24, 168)]
    out += [("volume_variation_168", volume_variation(p, 168))]
    out += [(f"traded_value_{w}", traded_value(p, w)) for w in (24, 168, 720)]
    out += [("idle_share_168", idle_share(p, 168))]
    out += [(f"illiquidity_{w}", illiquidity(p, w)) for w in (168, 720)]
    out += [(f"rising_volume_share_{w}", rising_volume_share(p, w)) for w in (24, 168)]
    out += [(f"from_vwap_{w}", from_vwap(p, w)) for w in (24, 168)]
    out += [("return_volume_correlation_168", return_volume_correlation(p, 168))]

    out += [(f"from_ema_{n}", from_ema(p, n)) for n in (12, 26, 50, 90)]
    out += [("ppo_12_26", ppo(p)), ("tsi_25_13", tsi(p))]
    out += [(f"rsi_{n}", rsi(p, n)) for n in (7, 14, 28)]
    k, d = stoch(p)
    out += [("stoch_k_14", k), ("stoch_d_14", d)]
    out += [(f"atr_{n}", atr(p, n)) for n in (14, 42)]
    position, width = bbands(p, 20)
    out += [("bbands_position_20", position), ("bbands_width_20", width)]
    out += directional(p, 14)
    out += [("cci_20", cci(p, 20)), ("mfi_14", mfi(p, 14)), ("cmf_20", cmf(p, 20))]
    out += [(f"obv_flow_{w}", obv_flow(p, w)) for w in (24, 168)]

    bitcoin = p.r["BTC"]
    out += [(f"factor_return_{w}", factor_return(p, w)) for w in (1, 24, 168, 720)]
    out += [(f"relative_strength_{w}", relative_strength(p, w)) for w in (24, 168, 720)]
    out += [(f"factor_beta_{w}", beta(p, p.factor, w)) for w in (168, 720)]
    out += [(f"factor_correlation_{w}", correlation(p, p.factor, w)) for w in (168, 720)]
    out += [("specific_volatility_168", specific_volatility(p, 168))]
    out += [(f"bitcoin_return_{w}", p.wide(p.log["BTC"].diff(w))) for w in (24, 168)]
    out += [(f"bitcoin_beta_{w}", beta(p, bitcoin, w)) for w in (168, 720)]
    out += [(f"bitcoin_correlation_{w}", correlation(p, bitcoin, w)) for w in (168, 720)]
    out += [(f"breadth_{w}", breadth(p, w)) for w in (24, 168)]
    out += [("rising_breadth_24", rising_breadth(p, 24))]
    out += [(f"dispersion_{w}", dispersion(p, w)) for w in (24, 168)]
    out += [(f"return_rank_{w}", rank(p.log.diff(w))) for w in (24, 168)]
    out += [("volatility_rank_168", rank(volatility(p, 168))), ("traded_value_rank_168", rank(traded_value(p, 168)))]
    out += [(name, p.wide(series)) for name, series in calendar(p)]
    return out
