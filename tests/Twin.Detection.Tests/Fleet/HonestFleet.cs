using Twin.Detection.Fleet;
using Twin.Hardware;

namespace Twin.Detection.Tests.Fleet;

/// <summary>
/// Fingerprints of an honest fleet of one model, as a field has them: meters hops from their concentrator, crystals
/// of their own, days with outages and storms of events; and what a test changes of them.
/// </summary>
internal sealed class HonestFleet(int meters, ulong seed)
{
    public const ulong First = 0xA1, Second = 0xB2;
    public static readonly Party Self = new(new TwinKey(TwinKind.Cohort, 9), "behaviour of Z");

    private readonly SplitMix64 _draw = SplitMix64.For(seed, "honest fleet");

    public BehaviourModel Model { get; } = new();
    public FindingList Found { get; } = [];

    /// <summary>Changes the fingerprint of a meter on a day.</summary>
    public Action<int, int, float[]> Change { get; set; } = (_, _, _) => { };
    public Func<int, int, ulong> Image { get; set; } = (_, _) => First;
    public Func<int, int, byte> Age { get; set; } = (_, _) => 0;
    public Func<int, string> Lot { get; set; } = m => $"L{m % 3}";
    public Func<int, string> Path { get; set; } = m => $"DC-{m / 24}";

    public static Party Meter(int i) => new(new MeterId(1_000 + (ulong)i).Twin, $"M{i}");

    /// <summary>What findings above a note are about, in order and once each.</summary>
    public string[] Alarmed => [.. Found.Where(f => f.Severity > Severity.Low).Select(f => f.SubjectName).Distinct()
        .Order(StringComparer.Ordinal)];

    public HonestFleet Run(int from, int to)
    {
        for (var d = from; d < to; d++)
        {
            var outage = _draw.Next(40) == 0 ? _draw.Next(meters / 24 + 1) : -1;
            for (var m = 0; m < meters; m++)
            {
                var print = Usual(m, m / 24 == outage);
                Change(m, d, print);
                Model.Take(new DevicePrint(Meter(m), new UnixTime(d * 86_400L + m * 60 % 86_400), Image(m, d),
                    Age(m, d), Lot(m), Path(m), 0, print), "Z", Self, 1, Found);
            }
        }
        return this;
    }

    private float[] Usual(int meter, bool outage)
    {
        var hops = meter % 4;
        return
        [
            (float)(165 + 10 * hops + 6 * _draw.NextNormal()), (float)(360 + 6 * _draw.NextNormal()),
            (float)Math.Max(0, 1.5 + 0.4 * hops + 0.7 * _draw.NextNormal()), _draw.Next(3) + (outage ? 4 : 0),
            (float)(3 * (meter % 7 - 3) + 0.05 * _draw.NextNormal()), (float)(1 + 0.1 * _draw.NextNormal()),
            (_draw.Next(40) == 0 ? 1 : 0) + (outage ? 1 : 0), (float)(4 + 0.1 * hops + 0.2 * _draw.NextNormal()),
        ];
    }
}
