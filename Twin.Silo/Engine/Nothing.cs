using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Engine;

/// <summary>What a twin is given where there is no journal: nothing is found in it, and nothing goes into it.</summary>
internal sealed class Nothing : IRecall, IAccepted
{
    public static readonly Nothing Stored = new();

    public bool TryReadDay(MeterId meter, Channel channel, LocalDay day, int intervalMinutes, Span<int> slots,
        Span<Quality> qualities) => false;

    public int IntervalOf(MeterId meter, Channel channel, LocalDay day) => 0;

    public bool TryFindFrame(MeterId meter, KeySlot key, FrameDirection direction, uint counter, out ulong digest)
    {
        digest = 0;
        return false;
    }

    public void Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable)
    {
    }
}
