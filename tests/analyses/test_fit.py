"""Families fitted to data: estimates, errors, bins, distances, ranks and what is said of them."""

import math

import mpmath
import numpy as np
import pytest
from scipy import stats

from klcli.analyses import bins as binning
from klcli.analyses.fit import fit, suitable
from klcli.errors import DistributionError, UsageError
from klcli.families.catalogue import CONTINUOUS, FAMILIES, FITTED
from klcli.families.likelihood.sorted_sample import SortedSample
from klcli.fits import reasons

from .families import TRUE, drawn, errors_away, law, place, sample_of

NOT_NAMED = [family for family in FITTED if not FAMILIES[family].nests]
SMOOTH = [family for family in FITTED if family not in {"uniform", "laplace", "binomial", "pareto"}]


def observed(sample):
    return SortedSample.of(sample.values, sample.weights)


def likelihood(family, sample, parameters):
    return float(FAMILIES[family](**parameters).log_density(sample.values).sum())


def only(sample, family):
    return fit(sample, [family]).fits[0]


@pytest.mark.parametrize("family", FITTED)
def test_the_log_likelihood_is_that_of_the_densities_and_falls_on_every_side(family):
    sample = drawn(family, 700, 3)
    one = only(sample, family)
    found = dict(one.component.parameters)
    assert one.log_likelihood == pytest.approx(likelihood(family, sample, found), rel=1e-12)
    for name, value in found.items():
        for way in (-1, 1):
            step = way if (family, name) == ("binomial", "n") else way * 1e-4 * max(1e-3, abs(value))
            beside = found | {name: value + step}
            if family == "binomial" and name == "n":
                beside["p"] = sample.values.mean() / beside["n"]
            if family == "uniform" and (way > 0) is (name == "low"):
                continue  # that leaves a value outside
            assert likelihood(family, sample, beside) < one.log_likelihood + 1e-9


@pytest.mark.parametrize("family", SMOOTH)
def test_standard_errors_are_of_the_observed_information(family):
    sample = drawn(family, 3000, 4)
    one = only(sample, family)
    names = list(one.component.parameters)
    at = np.array([one.component.parameters[name] for name in names])
    steps = 1e-3 * np.array([one.standard_errors[name] for name in names]) * 30

    def f(x):
        return likelihood(family, sample, dict(zip(names, x.tolist(), strict=True)))

    hessian = np.empty((len(at), len(at)))
    for i in range(len(at)):
        for j in range(len(at)):
            a, b = np.eye(len(at))[i] * steps, np.eye(len(at))[j] * steps
            four = f(at + a + b) - f(at + a - b) - f(at - a + b) + f(at - a - b)
            hessian[i, j] = four / (4 * steps[i] * steps[j])
    expected = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    assert [one.standard_errors[name] for name in names] == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("family", FITTED)
def test_frequencies_are_as_the_values_written_out(family):
    values = np.unique(drawn(family, 200, 5).values)
    often = np.random.default_rng(6).integers(0, 5, len(values))
    often[0] = 1
    table, whole = (only(s, family) for s in (sample_of(values, often), sample_of(np.repeat(values, often))))
    assert table.component.parameters == pytest.approx(whole.component.parameters, rel=1e-9)
    assert table.standard_errors == pytest.approx(whole.standard_errors, rel=1e-6, nan_ok=True)
    for name in ("log_likelihood", "aic", "bic", "ks", "kl_data_model", "kl_model_data", "kl_error"):
        assert getattr(table, name) == pytest.approx(getattr(whole, name), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(
    ("family", "scipys"),
    [
        ("student_t", stats.t.fit),
        ("logistic", stats.logistic.fit),
        ("gumbel", stats.gumbel_r.fit),
        ("beta", lambda v: stats.beta.fit(v, floc=0, fscale=1)[:2]),
        ("weibull", lambda v: stats.weibull_min.fit(v, floc=0)[::2]),
    ],
)
def test_estimates_against_scipys(family, scipys):
    sample = drawn(family, 5000, 7)
    assert list(only(sample, family).component.parameters.values()) == pytest.approx(scipys(sample.values), rel=2e-3)


@pytest.mark.parametrize("family", ["normal", "laplace", "student_t", "uniform", "logistic", "gumbel"])
@pytest.mark.parametrize(("by", "scale"), [(1e7, 1.0), (0.0, 1e-150), (3.0, 1e150)])
def test_data_shifted_and_stretched(family, by, scale):
    sample = drawn("student_t", 6000, 8)
    plain, moved = only(sample, family), only(sample_of(sample.values * scale + by), family)
    for name, value in plain.component.parameters.items():
        expected = value if name == "df" else value * scale + (by if name in {"mu", "low", "high"} else 0)
        assert moved.component.parameters[name] == pytest.approx(expected, rel=1e-6)
    assert moved.ks == pytest.approx(plain.ks, abs=1e-6)


def test_an_outlier_does_not_make_gumbel_overflow():
    values = np.concatenate((np.random.default_rng(2).normal(size=500), [-1e6]))
    one = only(sample_of(values), "gumbel")
    assert np.isfinite(one.log_likelihood)
    assert one.log_likelihood == pytest.approx(one.component.member.as_scipy().logpdf(values).sum())


def test_limits_of_families_are_said():
    under = sample_of([4, 5, 5, 5, 6, 5, 4, 6, 5, 5] * 10)
    assert only(under, "negative_binomial").remarks == ("r at a bound, 50000: as of a poisson",)
    over = sample_of([0, 0, 0, 9, 1, 20] * 10)
    assert only(over, "binomial").remarks == ("n at a bound, 200000: as of a poisson",)
    assert only(sample_of([0, 1] * 20), "binomial").remarks == ("n at a bound, the greatest value",)
    flat = only(sample_of(np.linspace(0, 1, 100)), "student_t")
    assert flat.remarks == ("df at a bound, 10000: as of a normal",)
    assert math.isnan(flat.standard_errors["df"])
    assert np.isfinite(flat.standard_errors["mu"])


@pytest.mark.parametrize(("n", "p"), [(4, 0.5), (20, 0.3), (100, 0.02), (1000, 0.4)])
def test_the_whole_number_of_a_binomial_is_the_likeliest(n, p):
    sample = drawn("binomial", 2000, 9, {"n": float(n), "p": p})
    one = only(sample, "binomial")
    tried = np.arange(sample.values.max(), 6 * n)
    each = [stats.binom.logpmf(sample.values, m, sample.values.mean() / m).sum() for m in tried]
    assert one.component.parameters["n"] == tried[int(np.argmax(each))]


@pytest.mark.parametrize("family", FITTED)
@pytest.mark.parametrize("n", [2, 30, 20_000])
@pytest.mark.parametrize("bins", [None, 7])
def test_every_bin_holds_data_and_all_of_it(family, n, bins):
    sample = drawn(family, n, 10)
    if len(set(sample.values)) == 1:
        sample = sample_of([0, 1])
    data = observed(sample)
    counts = bool((sample.values == np.floor(sample.values)).all())
    edges, mass = binning.histogram(data, bins, counts=counts)
    assert edges[0] == -np.inf
    assert edges[-1] == np.inf
    assert (np.diff(edges) > 0).all()
    held = np.histogram(sample.values, np.concatenate(([-1e300], edges[1:-1], [1e300])))[0]
    assert held == pytest.approx(mass * data.n)
    assert held.min() >= (5 if n > 50 and bins is None and len(mass) > 5 else 1)
    assert len(mass) <= (bins or binning.MOST + 40)


def test_rounded_data_are_binned_half_way_between_their_values():
    sample = sample_of(np.round(np.random.default_rng(3).normal(170, 8, 5000)) / 10)
    edges = binning.histogram(observed(sample), None, counts=False).edges[1:-1]
    assert edges * 10 - np.floor(edges * 10) == pytest.approx(0.5)
    report = fit(sample)
    assert report.fits[0].component.family == "normal"
    assert not any(note.startswith("no family") for note in report.notes)


def test_counts_have_a_bin_a_number():
    edges, mass = binning.histogram(observed(sample_of([0] * 9 + [1] * 8 + [2] * 7 + [5] * 6)), None, counts=True)
    assert edges.tolist() == [-np.inf, 0.5, 1.5, 2.5, np.inf]
    assert mass * 30 == pytest.approx([9, 8, 7, 6])


@pytest.mark.parametrize("z", [10.0, 38.0, 60.0, 1e4])
def test_masses_far_out_in_both_tails(z):
    edges = np.array([-np.inf, -z - 0.1, -z, 0.0, z, z + 0.1, np.inf])
    logs = binning.masses(law("normal", {"mu": 0.0, "sd": 1.0}), edges).logs
    with mpmath.workdps(40):
        root = mpmath.sqrt(2)
        far, near = (mpmath.log(mpmath.erfc((mpmath.mpf(x)) / root) / 2) for x in (z + 0.1, z))
        between = float(near + mpmath.log(1 - mpmath.exp(far - near)))
    assert logs[[0, 1, 4, 5]] == pytest.approx([float(far), between, between, float(far)], rel=1e-9)


def test_masses_where_differences_cancel_and_of_far_counts():
    edges = np.array([-np.inf, 1e-30, 2e-30, np.inf])
    wide = binning.masses(law("laplace", {"mu": 0.0, "scale": 1.0}), edges)
    assert wide.mass[1] == pytest.approx(5e-31, rel=1e-12)
    counted = binning.masses(law("poisson", {"rate": 1.0}), np.array([-np.inf, 499.5, 500.5, np.inf])).logs
    assert counted[1] == pytest.approx(stats.poisson.logpmf(500, 1), rel=1e-12)
    assert counted[2] == pytest.approx(stats.poisson.logpmf(501, 1) + np.log(1 + 1 / 502), rel=1e-8)
    none = binning.masses(law("uniform", {"low": 0.0, "high": 1.0}), np.array([-np.inf, 0.5, 2.0, np.inf]))
    assert none.logs[2] == -np.inf
    p = np.array([0.4, 0.4, 0.2])
    assert binning.divergences(p, none, 10) == (np.inf, pytest.approx(np.log(1.25)), np.inf)


def test_a_divergence_of_masses_too_small_for_numbers():
    values = np.concatenate((np.random.default_rng(4).normal(size=200_000), [1e6]))
    report = fit(sample_of(values), ["normal"])
    edges, p = report.histogram
    model = report.fits[0].component.member.as_scipy()
    logs = np.log(np.diff(model.cdf(edges)))
    logs[-1] = model.logsf(edges[-2])
    assert report.fits[0].kl_data_model == pytest.approx(float(np.sum(p * (np.log(p) - logs))), rel=1e-6)


@pytest.mark.parametrize("family", FITTED)
@pytest.mark.parametrize("n", [50, 60_000])
def test_kolmogorov_smirnov_against_a_walk_over_all_values(family, n):
    sample = drawn(family, n, 12)
    data, counts = observed(sample), FAMILIES[family].kind != CONTINUOUS
    model = law(family)
    found = binning.kolmogorov_smirnov(data, model, counts=counts)
    x = np.sort(sample.values)
    if counts:
        k = np.arange(x[-1] + 2)
        expected = np.abs(np.searchsorted(x, k, side="right") / n - model.cdf(k)).max()
    else:
        expected = stats.ks_1samp(sample.values, model.cdf).statistic
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("family", NOT_NAMED)
def test_the_true_family_is_first_or_nearly_and_its_parameters_are_within_their_errors(family):
    for seed in range(3):
        report = fit(drawn(family, 100_000, 1000 + seed))
        one, near = place(report, family)
        assert near
        assert all(errors < 4 for errors in errors_away(one, TRUE[family]).values())
        assert not any(note.startswith("no family") for note in report.notes)
        aics = [each.aic for each in report.fits]
        assert aics == sorted(aics)


def test_the_logistic_reaches_its_maximum_under_outliers():
    values = [*drawn("logistic", 300, 5).values, 1e12, -1e9]
    one = only(sample_of(values), "logistic")
    found = dict(one.component.parameters)
    assert found["scale"] > 1e9
    for name, step in (("mu", found["scale"] / 1000), ("scale", found["scale"] / 1000)):
        sides = [
            likelihood("logistic", sample_of(values), found | {name: found[name] + sign * step}) for sign in (-1, 1)
        ]
        assert max(sides) < one.log_likelihood
        assert sides[0] - one.log_likelihood == pytest.approx(sides[1] - one.log_likelihood, rel=0.02)


@pytest.mark.parametrize("family", ["normal", "poisson", "exponential", "geometric"])
def test_what_holds_the_true_family_does_not_lead_it(family):
    near = [place(fit(drawn(family, 1000, seed)), family)[1] for seed in range(20)]
    assert sum(near) >= 18


def test_fits_are_ordered_as_asked_and_what_did_not_converge_is_last(monkeypatch):
    sample = drawn("gamma", 500, 3)
    for sort, field in (("kl", "kl_data_model"), ("bic", "bic"), ("ks", "ks"), (None, "aic")):
        values = [getattr(one, field) for one in fit(sample, sort=sort).fits]
        assert values == sorted(values)
    lost = FAMILIES["gamma"].estimate(SortedSample.of(sample.values, None))._replace(remarks=("did not converge",))
    monkeypatch.setattr(FAMILIES["gamma"], "estimate", lambda _: lost)
    last = fit(sample).fits[-1]
    assert last.component.family == "gamma"
    assert all(math.isnan(error) for error in last.standard_errors.values())


def test_of_a_small_sample_too_the_errors_are_what_they_say():
    beyond = total = 0
    for seed in range(40):
        for family in ("gamma", "student_t", "gumbel", "negative_binomial"):
            away = errors_away(only(drawn(family, 800, seed), family), TRUE[family])
            beyond += sum(errors > 2 for errors in away.values())
            total += len(away)
    assert 0.02 * total < beyond < 0.08 * total


def test_nothing_fits():
    rng = np.random.default_rng(13)
    report = fit(sample_of(np.concatenate((rng.normal(-9, 1, 3000), rng.normal(9, 1, 3000)))))
    found, most = 2 * 6000 * report.fits[0].kl_data_model, stats.chi2.isf(0.001, len(report.histogram.mass) - 1)
    said = f"differs by 2 n KL = {found:.4g} where chance gives up to {most:.4g}"
    assert report.notes[0] == f"no family describes the data: the best, uniform, {said}"


def test_that_no_family_describes_the_data_is_not_said_where_one_that_is_not_first_does():
    rng = np.random.default_rng(49)
    n = int(rng.integers(60, 1500))
    sample = sample_of(np.concatenate((rng.uniform(0, 1, n), rng.uniform(0, 1.3, n // 20))))
    report = fit(sample)
    assert report.fits[0].component.family == "uniform"
    assert report.notes[0].startswith("the best, uniform, differs by 2 n KL = 30.48 where chance gives up to 20.52; ")
    assert report.notes[0].endswith("; normal, nearest by KL, is within that")
    near = next(one for one in report.fits if one.component.family == "normal")
    assert 2 * len(sample.values) * near.kl_data_model < 20.52
    assert fit(sample, ["uniform"]).notes[0].startswith("no family describes the data: the best, uniform, differs")


def test_what_is_said_of_a_small_sample_and_of_alike_families():
    report = fit(sample_of([1.5, 2.5, 4.0, 3.5]), ["normal", "exponential", "logistic", "gumbel"])
    assert report.notes == (
        "sample too small: 4 values cannot tell families apart well; take errors and ranks with care",
        "exponential is no worse than normal within the standard error and has fewer parameters",
        "logistic, gumbel are no worse than normal within the standard error",
    )
    assert [one.remarks for one in report.fits] == [()] * 4


def test_weights_that_are_shares():
    notes = fit(sample_of([1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4])).notes
    assert notes[0].startswith("the weights are not whole numbers; errors, AIC and BIC take their sum, 1, for")


def test_that_aic_has_another_best_is_said():
    report = fit(sample_of([1.1, 2, 3.5, 4.2, 5]), sort="kl")
    assert report.fits[0].component.family != "uniform"
    assert "by AIC uniform is best" in report.notes
    # Their likelihoods have no common unit.
    mixed = fit(sample_of([0, 1, 1, 0, 0]), every=True)
    assert "cauchy" in mixed.left_out  # its likelihood grows without end where half of the values are the same
    assert min(mixed.fits, key=lambda one: one.aic).component.family == "exponential"
    for report in (mixed, fit(drawn("gamma", 20_000, 15, {"shape": 2.5, "rate": 0.8}))):
        assert not any(note.startswith("by AIC") for note in report.notes)


ABOVE_0 = "laplace student_t uniform logistic gumbel cauchy chi2 half_normal pareto rayleigh"


@pytest.mark.parametrize(
    ("values", "families"),
    [
        ([-1.5, 2.0], "normal laplace student_t uniform logistic gumbel cauchy"),
        ([0.0, 2.5], "normal exponential laplace student_t uniform logistic gumbel cauchy half_normal"),
        ([0.5, 2.5], f"normal lognormal exponential gamma weibull {ABOVE_0}"),
        ([0.5, 0.25], f"normal lognormal exponential gamma beta weibull {ABOVE_0}"),
        ([0, 1, 2], "poisson binomial geometric negative_binomial"),
        ([0, 1, 1], "poisson binomial geometric negative_binomial bernoulli"),
        ([-1, 1, 1], "normal laplace student_t uniform logistic gumbel cauchy"),
    ],
)
def test_families_that_suit_the_data(values, families):
    found = suitable(sample_of(values))
    assert list(found.families) == families.split()
    assert set(found.families) | set(found.left_out) == set(NOT_NAMED)


RNG = np.random.default_rng(17)
INCOMES = np.round(RNG.lognormal(10.5, 0.6, 500))
COUNTED = {"poisson", "binomial", "geometric", "negative_binomial"}


@pytest.mark.parametrize(
    ("values", "counts", "densities"),
    [
        (INCOMES, False, True),
        (1000 * np.round(INCOMES / 1000), False, True),  # rounded, so that they are repeated
        (np.round(RNG.lognormal(10.5, 0.6, 200_000)), False, True),  # so many that they are repeated
        (RNG.integers(0, 2**60, 500), False, True),
        ([1e16, 2e16, 3e16], False, True),
        (RNG.poisson(1e6, 500), True, True),
        (RNG.integers(1990, 2020, 100), True, True),
        (RNG.integers(0, 1000, 100), True, False),
        (np.append(RNG.poisson(2, 500), 5000), True, False),
        ([0, 0, 1, 2], True, False),
    ],
    ids=["incomes", "in thousands", "many", "huge", "beyond 2**53", "far", "years", "small", "outlier", "few"],
)
def test_whole_numbers_are_counts_where_they_are_small_or_repeated(values, counts, densities):
    found = set(suitable(sample_of(values)).families)
    assert (found >= COUNTED, "normal" in found) == (counts, densities)
    assert counts or not COUNTED & found
    every = suitable(sample_of(values), every=True)
    assert COUNTED | {"normal"} <= set(every.families)
    assert set(every.left_out) == set(every.in_short)


def test_incomes_in_whole_dollars_are_lognormal():
    report = fit(sample_of(INCOMES))
    assert report.fits[0].component.family == "lognormal"
    assert not any(note.startswith("no family") for note in report.notes)
    assert (
        "(the data are whole numbers too large or scattered for counts; --family poisson,binomial or --family all "
        in (reasons(report.left_out))
    )


def test_every_family_that_can_hold_counts():
    report = fit(sample_of([0, 1, 2, 5, 3, 2, 1, 1]), every=True)
    densities = "normal exponential laplace student_t uniform logistic gumbel cauchy half_normal"
    assert {one.component.family for one in report.fits} == COUNTED | set(densities.split())
    assert "AIC, BIC and KS of densities do not compare with those of counts; KL does" in report.notes
    assert not any("do not compare" in note for note in fit(sample_of([0, 1, 2, 5, 3])).notes)


def test_why_families_are_left_out():
    found = suitable(sample_of([2.0, -1.5, -3.0], [1, 0, 2]))
    assert found.left_out["gamma"] == "DATA, item 3: -3 is not above 0"
    assert found.in_short["gamma"] == "needs x > 0"
    assert found.left_out["poisson"] == "DATA, item 3: -3 is not a whole number, 0 or above"
    assert set(found.in_short) == set(found.left_out)
    left_out = suitable(sample_of([1, 2, 4])).left_out
    typed = "--family normal,lognormal or --family all fits them too"
    assert left_out["normal"] == left_out["gamma"] == f"the data look like counts; {typed}"
    assert fit(sample_of([0, 1, 2, 3])).left_out["bernoulli"] == "DATA, item 3: 2 is not 0 or 1"


def test_a_family_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"--family 'gama': fit has normal, .*Did you mean 'gamma'"):
        fit(sample_of([0.5, 1, 2]), ["gama"])


def test_families_of_one_reason_are_said_together():
    assert reasons(suitable(sample_of([0.5, 2.5])).in_short) == (
        "beta (needs 0 < x < 1), poisson, binomial, geometric, negative_binomial (need whole numbers from 0), "
        "bernoulli (needs 0 or 1)"
    )
    assert reasons({}) == ""


def test_numbers_at_the_ends_of_what_a_double_can_hold():
    with pytest.raises(DistributionError, match="span more than numbers can hold"):
        fit(sample_of([-1.7e308, 1.7e308, 0, 5]))
    report = fit(sample_of(np.random.default_rng(0).random(500) * 1e-310))
    assert report.left_out["gamma"] == "its likelihood leaves the range of numbers; scale the data"
    with pytest.raises(DistributionError, match="no family could be fitted"):
        fit(report.sample, ["gamma"])
