using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// Watches for a ceiling: the largest interval of a home differs from day to day, but a meter that is made to cut what
/// lies above a limit reads the limit itself, again and again, to the watt-hour. Counts intervals at the highest value
/// seen; a higher one begins anew. 5 bytes.
/// </summary>
internal struct CapWatch
{
    /// <summary>Hits counted at most in a day and in all: one plateau of an oven is not a limit.</summary>
    private const int MaxHitsADay = 3, MaxHits = 20;

    /// <summary>Days without a hit after which the highest value of the day becomes the ceiling.</summary>
    private const int IdleDays = 10;

    /// <summary>
    /// A ceiling below this power, or below so many night bases, is an empty home's: its few values repeat.
    /// </summary>
    private const int LeastW = 250;
    private const float NightBases = 3f;
    private const int RoundingWh = 1;

    private ushort _capWh;
    private byte _hits, _idle;

    public readonly int Hits => _hits;
    public readonly int CapWh => _capWh;

    /// <summary>Takes a day of an inhabited home.</summary>
    public void Note(in DayReadings day, int maxWh, float nightW)
    {
        var w = maxWh * 60f / day.IntervalMinutes;
        if (w < LeastW || w < NightBases * nightW || maxWh > ushort.MaxValue) return;
        if (ReadingSteps.AreCoarse(day.Slots, maxWh)) return;
        if (maxWh > _capWh + 2 * RoundingWh)
        {
            (_capWh, _hits, _idle) = ((ushort)maxWh, 0, 0);
            return;
        }
        var at = 0;
        foreach (var wh in day.Slots)
            if (wh >= _capWh - RoundingWh) at++;
        if (at > 0) (_hits, _idle) = ((byte)Math.Min(MaxHits, _hits + Math.Min(at, MaxHitsADay)), 0);
        else if (++_idle >= IdleDays) (_capWh, _hits, _idle) = ((ushort)maxWh, 0, 0);
    }

    public readonly void Write(ByteWriter to)
    {
        to.UInt16(_capWh);
        to.Byte(_hits);
        to.Byte(_idle);
    }

    public static CapWatch Read(ref ByteReader from) =>
        new() { _capWh = from.UInt16(), _hits = from.Byte(), _idle = from.Byte() };
}
