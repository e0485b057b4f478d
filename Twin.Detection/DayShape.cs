using System.Runtime.CompilerServices;
using Twin.Hardware;

namespace Twin.Detection;

/// <summary>
/// One day brought to a common grid: mean power (W) of 48 half-hours by wall clock, whatever the interval and the
/// length of the day, and energy (Wh) of 48 half-hours by elapsed time, which members of one feeder share.
/// </summary>
internal ref struct DayShape
{
    public const int Slots = 48;

    /// <summary>A day's energy is told to the feeder in so many blocks: who used what when names a thief.</summary>
    public const int Blocks = 48;
    private const int SlotMinutes = 30;
    private const int BlockMinutes = 1440 / Blocks;

    /// <summary>Clocks are set between 01:00 and 03:00; a day does not say when, so the usual 02:00 is taken.</summary>
    private const int ClockChangeMinute = 120;

    /// <summary>W; negative where nothing was measured.</summary>
    public Span<float> Power;
    public Span<float> BlockWh;
    public int Present, Actual, Zeros, Changes, Count;
    public long SumWh;
    public int MaxWh, MinWh;

    /// <summary>Hash of the values as a multiset; and 64 bits of which each distinct value sets one.</summary>
    public ulong ValueHash, ValueSketch;

    /// <summary>Fills the grid. <paramref name="power"/> and <paramref name="blocks"/> hold 48 numbers.</summary>
    public static DayShape Of(scoped in DayReadings day, Span<float> power, Span<float> blocks)
    {
        var shape = new DayShape
        {
            Power = power, BlockWh = blocks, Count = day.Slots.Length, MaxWh = int.MinValue, MinWh = int.MaxValue,
        };
        power.Fill(-1f);
        blocks.Clear();
        if (day.IntervalMinutes == SlotMinutes && day.Day.Minutes == 1440
            && day.Slots.Length == Slots) shape.FillDirect(day);
        else shape.FillResampled(day);
        return shape;
    }

    private void FillDirect(scoped in DayReadings day)
    {
        var last = ReadingBlock.Missing;
        for (var i = 0; i < Slots; i++)
        {
            var wh = day.Slots[i];
            if (wh == ReadingBlock.Missing) continue;
            Tally(wh, day.Qualities[i], ref last);
            BlockWh[i * Blocks / Slots] += wh;
            if (day.Qualities[i] == Quality.Actual) Power[i] = 2f * wh;
        }
    }

    private void FillResampled(scoped in DayReadings day)
    {
        Span<float> energy = stackalloc float[Slots];
        Span<float> minutes = stackalloc float[Slots];
        energy.Clear();
        minutes.Clear();
        var shift = 1440 - day.Day.Minutes;
        var last = ReadingBlock.Missing;
        for (var i = 0; i < day.Slots.Length; i++)
        {
            var wh = day.Slots[i];
            if (wh == ReadingBlock.Missing) continue;
            Tally(wh, day.Qualities[i], ref last);
            var from = i * day.IntervalMinutes;
            AddToBlocks(wh, from, day.IntervalMinutes);
            if (day.Qualities[i] == Quality.Actual) Spread(wh, from, day.IntervalMinutes, shift, energy, minutes);
        }
        for (var s = 0; s < Slots; s++)
            if (minutes[s] >= SlotMinutes) Power[s] = energy[s] * 60f / minutes[s];
    }

    /// <summary>An interval over several blocks is shared evenly; what lies behind the last counts in it.</summary>
    private readonly void AddToBlocks(int wh, int from, int interval)
    {
        var parts = Math.Max(1, interval / BlockMinutes);
        for (var part = 0; part < parts; part++)
            BlockWh[Math.Min(from / BlockMinutes + part, Blocks - 1)] += (float)wh / parts;
    }

    /// <summary>Shares an interval's energy among the half-hours that it covers, piece by piece.</summary>
    private static void Spread(int wh, int from, int interval, int shift, Span<float> energy, Span<float> minutes)
    {
        for (var done = 0; done < interval;)
        {
            var wall = WallMinute(from + done, shift);
            var piece = Math.Min(interval - done, SlotMinutes - wall % SlotMinutes);
            var slot = wall / SlotMinutes;
            energy[slot] += wh * (float)piece / interval;
            minutes[slot] += piece;
            done += piece;
        }
    }

    /// <summary>
    /// Wall-clock minute of an elapsed minute: a skipped hour is jumped over, a repeated one is passed twice.
    /// </summary>
    private static int WallMinute(int elapsed, int shift)
    {
        var turn = ClockChangeMinute + (shift < 0 ? -shift : 0);
        return Math.Clamp(elapsed < turn ? elapsed : elapsed + shift, 0, 1439);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Tally(int wh, Quality quality, ref int last)
    {
        Present++;
        if (quality == Quality.Actual) Actual++;
        if (wh == 0) Zeros++;
        if (wh != last) Changes++;
        last = wh;
        SumWh += wh;
        if (wh > MaxWh) MaxWh = wh;
        if (wh < MinWh) MinWh = wh;
        var mixed = StableHash.Mix(unchecked((uint)wh + 1UL));
        ValueHash = unchecked(ValueHash + mixed);
        ValueSketch |= 1UL << (int)(mixed >> 58);
    }

    /// <summary>Mean power over the half-hours measured, W; 0 when there is none.</summary>
    public readonly float MeanPower()
    {
        var sum = 0f;
        var n = 0;
        foreach (var p in Power)
        {
            if (p < 0) continue;
            sum += p;
            n++;
        }
        return n == 0 ? 0f : sum / n;
    }

    /// <summary>
    /// Mean of the lower half of the half-hours from 00:00 to 06:00, W: what runs when nobody does anything.
    /// </summary>
    public readonly float NightBase()
    {
        Span<float> night = stackalloc float[12];
        var n = 0;
        for (var s = 0; s < 12; s++)
        {
            var p = Power[s];
            if (p < 0) continue;
            var at = n++;
            while (at > 0 && night[at - 1] > p)
            {
                night[at] = night[at - 1];
                at--;
            }
            night[at] = p;
        }
        var half = (n + 1) / 2;
        var sum = 0f;
        for (var i = 0; i < half; i++) sum += night[i];
        return half == 0 ? 0f : sum / half;
    }

    /// <summary>
    /// Mean absolute step between neighbouring half-hours over the mean: 0 for a flat line, about 0.5 in a home.
    /// </summary>
    public readonly float Roughness(float mean)
    {
        if (mean <= 0) return 0f;
        var sum = 0f;
        var n = 0;
        for (var s = 1; s < Slots; s++)
        {
            if (Power[s] < 0 || Power[s - 1] < 0) continue;
            var step = Power[s] - Power[s - 1];
            sum += step < 0 ? -step : step;
            n++;
        }
        return n == 0 ? 0f : sum / (n * mean);
    }

    /// <summary>Mean of the four highest half-hours, W: what runs when everything runs.</summary>
    public readonly float Top()
    {
        Span<float> top = stackalloc float[4];
        top.Clear();
        foreach (var p in Power)
        {
            if (p <= top[0]) continue;
            var at = 0;
            for (; at < 3 && p > top[at + 1]; at++) top[at] = top[at + 1];
            top[at] = p;
        }
        return (top[0] + top[1] + top[2] + top[3]) / 4f;
    }

    /// <summary>True when readings of zero fall between 06:00 and 19:00 only, and there are some.</summary>
    public readonly bool OnlyDaylightZeros()
    {
        var zeros = 0;
        for (var s = 0; s < Slots; s++)
        {
            if (Power[s] != 0) continue;
            if (!IsDaylight(s)) return false;
            zeros++;
        }
        return zeros > 0;
    }

    /// <summary>06:00 to 19:00, when the sun may shine at the latitudes at which most people live.</summary>
    public static bool IsDaylight(int slot) => slot is >= 12 and < 38;
}
