using System.Buffers.Binary;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Emulator;
using Twin.Hardware.Wire;

namespace Twin.Silo.Bench;

/// <summary>
/// Load profile pushes of many meters, sealed before the clock runs: general-glo-ciphering under a key of each meter,
/// authenticated and encrypted, in the TCP wrapper, one behind the other as a concentrator sends them.
/// </summary>
internal sealed class SealedFrames : IDisposable
{
    /// <summary>2026-03-02, a Monday.</summary>
    private const long FirstDay = 20_514;

    private const int PeriodMinutes = 30, KeyBytes = 16;
    private const ulong Seed = 21;

    private readonly ByteWriter _frames = new(1 << 20);
    private readonly long[] _registers;

    public SealedFrames(int meters)
    {
        Meters = [.. Enumerable.Range(0, meters).Select(i => new MeterId(0x4D54_4200_0000_0000UL + (ulong)i))];
        _registers = new long[meters];
        foreach (var meter in Meters)
            Keys.Set(meter, KeyUse.GlobalUnicast, KeyOf(meter, 1), KeyOf(meter, 2));
    }

    public MeterId[] Meters { get; }
    public FrameKeys Keys { get; } = new();

    private static byte[] KeyOf(MeterId meter, ulong which)
    {
        var key = new byte[KeyBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(key, StableHash.Mix(meter.Value ^ (which << 56)));
        BinaryPrimitives.WriteUInt64LittleEndian(key.AsSpan(8), StableHash.Mix(meter.Value + which));
        return key;
    }

    /// <summary>
    /// The bytes of a round for the meters [from, to): each pushes the intervals since its last push. Rounds follow one
    /// another, and all meters take part in each.
    /// </summary>
    public byte[] Round(int from, int to, int round, int intervals)
    {
        _frames.Clear();
        var title = new byte[Protected.SystemTitleBytes];
        var slots = new int[BenchLoad.SlotsPerDay];
        var rows = new ProfileRow[intervals + 1];
        var (body, apdu) = (new ByteWriter(), new ByteWriter());
        for (var m = from; m < to; m++)
        {
            var first = round * intervals;
            BenchLoad.FillDay(Seed, Meters[m].Value, first / BenchLoad.SlotsPerDay, slots);
            for (var i = 0; i <= intervals; i++)
            {
                if (i > 0) _registers[m] += slots[(first + i - 1) % BenchLoad.SlotsPerDay];
                var end = FirstDay * 1440 + (first + i) * (long)PeriodMinutes;
                rows[i] = new ProfileRow(UnixTime.FromMinutes(end), ProfileStatus.None, _registers[m], 0);
            }
            body.Clear();
            DataNotification.WriteHead(body, 1, CosemDateTime.FromUnixTime(rows[^1].End, 0));
            LoadProfilePush.Write(body, "BENCH", PeriodMinutes * 60, 0, rows);
            BinaryPrimitives.WriteUInt64BigEndian(title, Meters[m].Value);
            apdu.Clear();
            var code = Protected.Write(apdu, ApduTag.GeneralGloCiphering, Keys, Meters[m], title,
                new SecurityControl(0, true, true), (uint)round + 1, body.Written);
            if (code != WireCode.None) throw new InvalidOperationException($"A frame was not sealed: {code}.");
            TcpWrapper.Write(_frames, 1, 102, apdu.Written);
        }
        return _frames.ToArray();
    }

    public void Dispose() => Keys.Dispose();
}
