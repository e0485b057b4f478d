using Twin.Grains;
using Twin.Grains.Orleans;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Orleans;

/// <summary>One letter under way; its body lies in a buffer of letters as they came.</summary>
internal readonly record struct GateLetter(TwinKey To, TwinKey From, int FromSilo, byte[] Buffer, int Offset,
    int Length, int Sequence) : IComparable<GateLetter>
{
    /// <summary>By receiver, then sender, then as sent: the order never depends on silos.</summary>
    public int CompareTo(GateLetter other)
    {
        var c = To.CompareTo(other.To);
        if (c == 0) c = From.CompareTo(other.From);
        return c != 0 ? c : Sequence.CompareTo(other.Sequence);
    }

    public ReadOnlySpan<byte> Body => Buffer.AsSpan(Offset, Length);
}

/// <summary>
/// Encodings between sequencer and gates. Versioned: silos of neighbouring versions may share a cluster.
/// </summary>
internal static class GateCode
{
    /// <summary>Raised when an encoding here changes; silos of another protocol get no twins.</summary>
    public const int Protocol = 1;

    /// <summary>Bytes of a message between silos, about; more goes as several.</summary>
    public const int PageBytes = 8 * 1024 * 1024;

    public static void WriteLetter(ByteWriter to, TwinKey receiver, TwinKey sender, ReadOnlySpan<byte> body)
    {
        KeyCode.Write(to, receiver);
        KeyCode.Write(to, sender);
        to.Blob(body);
    }

    public static void ReadLetters(byte[] letters, int fromSilo, List<GateLetter> into)
    {
        var r = new ByteReader(letters);
        while (!r.AtEnd)
        {
            var (to, from) = (KeyCode.Read(ref r), KeyCode.Read(ref r));
            var length = r.Blob().Length;
            into.Add(new GateLetter(to, from, fromSilo, letters, r.Position - length, length, into.Count));
        }
    }

    /// <summary>One receiver's mail as its grain reads it.</summary>
    public static byte[] Mail(List<GateLetter> sorted, int start, int count)
    {
        var to = new ByteWriter(count * 64);
        to.VarUInt((ulong)count);
        for (var i = start; i < start + count; i++)
        {
            KeyCode.Write(to, sorted[i].From);
            to.Blob(sorted[i].Body);
        }
        return to.ToArray();
    }

    /// <summary>A page of states: key, whether it waits, state.</summary>
    public static void WriteState(ByteWriter to, TwinKey key, bool waits, ReadOnlySpan<byte> state)
    {
        KeyCode.Write(to, key);
        to.Bool(waits);
        to.Blob(state);
    }
}

/// <summary>
/// What the twins of a silo said in a round, for the sequencer: facts and publications, letters that the gate could not
/// route, twins that are new.
/// </summary>
internal sealed class RoundReport
{
    public long Letters { get; set; }
    public int Waiting { get; set; }
    public List<TwinKey> Born { get; } = [];
    public List<(TwinKey From, SaidKind Kind, TwinKey To, byte[] Body)> Said { get; } = [];

    public byte[] ToBytes()
    {
        var to = new ByteWriter(1024);
        to.VarUInt((ulong)Letters);
        to.VarUInt((ulong)Waiting);
        to.VarUInt((ulong)Born.Count);
        foreach (var key in Born) KeyCode.Write(to, key);
        foreach (var (from, kind, receiver, body) in Said)
        {
            to.Byte((byte)kind);
            KeyCode.Write(to, from);
            KeyCode.Write(to, receiver);
            to.Blob(body);
        }
        return to.ToArray();
    }

    public static RoundReport Read(byte[] bytes)
    {
        var r = new ByteReader(bytes);
        var report = new RoundReport { Letters = (long)r.VarUInt(), Waiting = (int)r.VarUInt() };
        for (var left = r.Count(int.MaxValue); left > 0; left--) report.Born.Add(KeyCode.Read(ref r));
        while (!r.AtEnd)
        {
            var kind = (SaidKind)r.Byte();
            report.Said.Add((KeyCode.Read(ref r), kind, KeyCode.Read(ref r), r.Blob().ToArray()));
        }
        return report;
    }
}
