using System.Runtime.CompilerServices;
using Twin.Detection.Fleet;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Specification;

/// <summary>
/// The fingerprint of how a device behaves, held against its own past: one running centre and scale a feature. Plain
/// double arithmetic in fixed order, so that a rebuild gives the same bits. A step of the centre is limited to one
/// scale (a Huber-type location update), so that a few strange days do not move it.
/// </summary>
public sealed class FirmwareDrift
{
    /// <summary>Fingerprints before anything is judged: a week.</summary>
    public const int Learn = 7;

    /// <summary>Robust distance beyond which a feature is strange; and features, and days in a row, that it takes.
    /// </summary>
    public const double Strange = 6;
    public const int Features = 2, Days = 3;

    /// <summary>Strange days after which the new behaviour is taken for the device's own and learnt anew.</summary>
    public const int Accept = 30;

    /// <summary>A mean absolute deviation in terms of a normal distribution's standard deviation: sqrt(π/2).</summary>
    private const double ToSigma = 1.2533;
    private const double Forget = 0.05;

    private const int Latency = (int)FingerprintFeature.ResponseLatencyMs,
        Retries = (int)FingerprintFeature.RetriesPerDay;

    private Values _centre, _spread;
    private byte _learnt, _streak;
    private uint _since;

    [InlineArray(Fingerprint.Features)]
    private struct Values
    {
        private float _first;
    }

    /// <summary>Least scale of each feature, in its unit: what a device's own noise may always be. Ours.</summary>
    private static ReadOnlySpan<double> Floors => [10, 4, 3, 3, 2, 0.5, 1, 5];

    /// <summary>Fingerprints learnt, at most 255.</summary>
    public int Learnt => _learnt;

    /// <summary>Strange fingerprints in a row.</summary>
    public int Streak => _streak;

    /// <summary>
    /// Takes a fingerprint. When this is the <see cref="Days"/>th strange one in a row: the strange features, and since
    /// when; else null.
    /// </summary>
    public Evidence[]? Take(Fingerprint print, out uint since)
    {
        since = _since;
        var (strange, own) = (0, 0);
        // A bad radio path sends again and answers late: that latency is not the device's own.
        var late = print.Values.Length > Retries && IsStrange(Retries, print.Values[Retries]);
        for (var i = 0; i < print.Values.Length; i++)
        {
            if (!IsStrange(i, print.Values[i])) continue;
            strange++;
            own += DeviceTraits.Own[i] && !(i == Latency && late) ? 1 : 0;
        }
        if (_learnt < Learn || strange < Features || own == 0)
        {
            _streak = 0;
            Follow(print);
            return null;
        }
        if (_streak == 0) _since = Moment.Of(print.At);
        since = _since;
        if (++_streak == Accept) (_streak, _learnt, _centre, _spread) = (0, 0, default, default);
        return _streak == Days ? EvidenceOf(print) : null;
    }

    private double Scale(int i) =>
        Math.Max(ToSigma * _spread[i], Math.Max(Floors[i], 0.05 * Math.Abs(_centre[i])));

    private bool IsStrange(int i, float value) =>
        float.IsFinite(value) && _learnt >= Learn && Math.Abs((double)value - _centre[i]) > Strange * Scale(i);

    private void Follow(Fingerprint print)
    {
        var first = _learnt == 0;
        var weight = Math.Max(Forget, 1.0 / (_learnt + 1));
        for (var i = 0; i < print.Values.Length; i++)
        {
            var value = print.Values[i];
            if (!float.IsFinite(value)) continue;
            var off = (double)value - _centre[i];
            if (first)
            {
                _centre[i] = value;
                continue;
            }
            var bound = _learnt < Learn ? Math.Abs(off) : Scale(i);
            var limited = Math.Clamp(off, -bound, bound);
            _centre[i] = (float)(_centre[i] + weight * limited);
            _spread[i] = (float)(_spread[i] + weight * (Math.Abs(limited) - _spread[i]));
        }
        if (_learnt < byte.MaxValue) _learnt++;
    }

    private Evidence[] EvidenceOf(Fingerprint print)
    {
        var found = new List<Evidence>();
        var total = 0.0;
        for (var i = 0; i < print.Values.Length; i++)
        {
            if (!IsStrange(i, print.Values[i])) continue;
            var distance = Math.Abs((double)print.Values[i] - _centre[i]) / Scale(i);
            total += distance;
            found.Add(new Evidence(DeviceTraits.NameOf(i), print.Values[i], _centre[i], distance,
                DeviceTraits.UnitOf(i)));
        }
        return [.. found.Select(e => e with { Contribution = e.Contribution / total })];
    }

    /// <summary>A strange feature in words: "response latency 339 ms where 181 is usual".</summary>
    public static string Say(Evidence e) =>
        DeviceTraits.Say(DeviceTraits.IndexOf(e.Feature), Math.Round(e.Observed, 2), Math.Round(e.Expected, 2));

    public void Write(ByteWriter to)
    {
        to.Byte(_learnt);
        to.Byte(_streak);
        to.VarUInt(_since);
        for (var i = 0; i < Fingerprint.Features; i++) to.Single(_centre[i]);
        for (var i = 0; i < Fingerprint.Features; i++) to.Single(_spread[i]);
    }

    public static FirmwareDrift Read(ref ByteReader r)
    {
        var drift = new FirmwareDrift { _learnt = r.Byte(), _streak = r.Byte(), _since = r.Count32() };
        for (var i = 0; i < Fingerprint.Features; i++) drift._centre[i] = r.Single();
        for (var i = 0; i < Fingerprint.Features; i++) drift._spread[i] = r.Single();
        return drift;
    }
}
