using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// Two meters of one feeder that seem to count each other's home; <paramref name="Strength"/> is the cumulative sum
/// behind it, <paramref name="Days"/> since it was zero.
/// </summary>
public readonly record struct ExchangedPair(MeterId First, MeterId Second, float Strength, int Days);

/// <summary>
/// Finds two meters of one feeder that count each other's home, whether somebody exchanged the meters or their records;
/// the feeder's balance cannot see it. Each day of each member is compared with the profile of every other. Where both
/// members of a pair fit the other's profile better than their own, day after day, a cumulative sum grows. A home that
/// changes alone (a move-in, a vacancy) leaves its partner where it was, and the sum stays near zero.
/// </summary>
/// <remarks>
/// Distances are squared differences of the square roots of energies, summed over the half-hours, and divided by what
/// is usual for the member: the root makes a quiet night weigh as much as a loud evening. State: n(n−1)/2 sums and
/// counts and n floats for n members, 1 KiB for 20.
/// </remarks>
internal sealed class ExchangeWatch
{
    /// <summary>A day's gain counts at most so much, and what it must exceed to count at all.</summary>
    private const float Clip = 0.5f, Slack = 0.1f;
    private const float UsualRate = 1f / 20, WeakestNamed = 0.5f;
    private const int Room = LossAttribution.MaxMembers * DayShape.Blocks;

    private float[] _usual = [], _sums = [];
    private byte[] _days = [];

    /// <summary>Another set of members: all begin anew. More than the attribution knows are not compared.</summary>
    public void Regroup(int members)
    {
        var n = members <= LossAttribution.MaxMembers ? members : 0;
        (_usual, _sums, _days) = (new float[n], new float[n * (n - 1) / 2], new byte[n * (n - 1) / 2]);
    }

    /// <summary>Learns a day; members come in id order, and all known customers are among them.</summary>
    public void Learn(ReadOnlySpan<Member> members, ref FeederDay today)
    {
        var n = _usual.Length;
        if (n < 2) return;
        Span<float> told = stackalloc float[Room];
        Span<float> usual = stackalloc float[Room];
        Span<float> own = stackalloc float[LossAttribution.MaxMembers];
        Span<ulong> ids = stackalloc ulong[LossAttribution.MaxMembers];
        var factor = LossAttribution.CommonFactor(members);
        var at = 0;
        foreach (ref readonly var member in members)
        {
            if (member.Role != MeterRole.Customer) continue;
            ids[at] = member.Meter.Value;
            // An empty home fits nobody's profile, another empty home's least badly.
            var isKnown = member.Features.ExpectedWh > 0 && member.Features.Has(DayMarks.Usable)
                && !member.Features.Has(DayMarks.Vacant);
            Roots(member.Features, factor, Of(told, at), Of(usual, at));
            own[at] = isKnown ? Distance(Of(told, at), Of(usual, at)) : -1f;
            if (isKnown) _usual[at] += (_usual[at] == 0 ? 1f : UsualRate) * (own[at] - _usual[at]);
            at++;
        }
        for (var i = 1; i < n; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (own[i] < 0 || own[j] < 0) continue;
                var first = (own[i] - Distance(Of(told, i), Of(usual, j))) / (_usual[i] + 1f);
                var second = (own[j] - Distance(Of(told, j), Of(usual, i))) / (_usual[j] + 1f);
                var pair = i * (i - 1) / 2 + j;
                var gain = Math.Clamp(2f * Math.Min(first, second), -Clip, Clip) - Slack;
                _sums[pair] = Math.Max(0f, _sums[pair] + gain);
                _days[pair] = _sums[pair] == 0 ? (byte)0 : (byte)Math.Min(255, _days[pair] + 1);
                if (_sums[pair] >= WeakestNamed)
                    today.Name(new ExchangedPair(new MeterId(ids[j]), new MeterId(ids[i]), _sums[pair], _days[pair]));
            }
        }
    }

    private static Span<float> Of(Span<float> all, int member) =>
        all.Slice(member * DayShape.Blocks, DayShape.Blocks);

    private static void Roots(in DayFeatures day, float factor, Span<float> told, Span<float> usual)
    {
        for (var b = 0; b < DayShape.Blocks; b++)
        {
            told[b] = MathF.Sqrt(day.Blocks.Wh(b));
            usual[b] = MathF.Sqrt(factor * day.ExpectedBlocks.Wh(b));
        }
    }

    private static float Distance(ReadOnlySpan<float> told, ReadOnlySpan<float> usual)
    {
        var sum = 0f;
        for (var b = 0; b < DayShape.Blocks; b++) sum += (told[b] - usual[b]) * (told[b] - usual[b]);
        return sum;
    }

    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)_usual.Length);
        foreach (var v in _usual) to.Single(v);
        foreach (var v in _sums) to.Single(v);
        to.Bytes(_days);
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static ExchangeWatch Read(ref ByteReader from)
    {
        var watch = new ExchangeWatch();
        watch.Regroup(from.Count(LossAttribution.MaxMembers));
        for (var i = 0; i < watch._usual.Length; i++) watch._usual[i] = from.Single();
        for (var i = 0; i < watch._sums.Length; i++) watch._sums[i] = from.Single();
        watch._days = from.Bytes(watch._days.Length).ToArray();
        return watch;
    }
}
