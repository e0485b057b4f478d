using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Access;

/// <summary>
/// Which load curves were read lately. The same reader, meter and purpose within a quarter of an hour is one look at
/// what it covers: whoever zooms into a chart asks a dozen times. Somebody who looks at very many customers within an
/// hour is told.
/// </summary>
public sealed class ReadBook
{
    /// <summary>A look at the same meter for the same purpose within so long is the same look, s.</summary>
    public const int LookSeconds = 900;

    /// <summary>The time over which meters are counted, s.</summary>
    private const int WindowSeconds = 3_600;

    /// <summary>Meters of one reader within the window from which it is a bulk read; rows of one export.</summary>
    public const int BulkMeters = 100;

    /// <summary>Looks kept. At the bound the oldest goes: then a repeated look is told twice, and a count is lower.
    /// </summary>
    public const int MaxLooks = 1_024;

    /// <summary>Readers who were told; at the bound the oldest goes and may be told again.</summary>
    private const int MaxTold = 256;

    /// <summary>A look at a meter, or at the <paramref name="Count"/> meters of a feeder.</summary>
    private readonly record struct Look(UnixTime At, string Reader, TwinKey Meter, string Purpose, long Count,
        UnixTime From, UnixTime To);

    private readonly List<Look> _looks = [];
    private readonly List<(string Reader, UnixTime At)> _told = [];

    /// <summary>True when this look was told already, or one of which it is a part.</summary>
    public bool Knows(AccessNoted n) => _looks.Exists(l => l.Meter == n.Subject && l.Reader == n.By.Key
        && l.From.Seconds <= n.From.Seconds && n.To.Seconds <= l.To.Seconds && l.Count >= n.Count
        && l.Purpose == n.Purpose && n.At.Seconds >= l.At.Seconds && n.At.Seconds - l.At.Seconds < LookSeconds);

    /// <summary>Takes it in. Meters (or rows) when that makes it a bulk read that was not told within the window, else
    /// 0.</summary>
    public long Add(AccessNoted n)
    {
        if (n.What == AccessKind.Imported) return 0;
        var count = n.Count;
        if (n.What == AccessKind.LoadCurveRead && n.Subject.Kind != 0)
        {
            if (_looks.Count == MaxLooks) _looks.RemoveAt(0);
            _looks.Add(new Look(n.At, n.By.Key, n.Subject, n.Purpose, n.Count, n.From, n.To));
            var seen = new HashSet<TwinKey>();
            count = 0;
            foreach (var l in _looks)
                if (l.Reader == n.By.Key && n.At.Seconds - l.At.Seconds < WindowSeconds && seen.Add(l.Meter))
                    count += l.Count;
        }
        if (count < BulkMeters || _told.Exists(t => t.Reader == n.By.Key
            && n.At.Seconds - t.At.Seconds < WindowSeconds)) return 0;
        _told.RemoveAll(t => t.Reader == n.By.Key);
        if (_told.Count == MaxTold) _told.RemoveAt(0);
        _told.Add((n.By.Key, n.At));
        return count;
    }

    public void Write(ByteWriter to)
    {
        to.VarUInt((ulong)_looks.Count);
        foreach (var l in _looks)
        {
            to.VarInt(l.At.Seconds);
            to.Text(l.Reader);
            to.Byte((byte)l.Meter.Kind);
            to.UInt64(l.Meter.Id);
            to.Text(l.Purpose);
            to.VarUInt((ulong)l.Count);
            to.VarInt(l.From.Seconds);
            to.VarInt(l.To.Seconds);
        }
        to.VarUInt((ulong)_told.Count);
        foreach (var (reader, at) in _told)
        {
            to.Text(reader);
            to.VarInt(at.Seconds);
        }
    }

    /// <exception cref="InvalidDataException">Damaged.</exception>
    public static ReadBook Read(ref ByteReader r)
    {
        var book = new ReadBook();
        var looks = r.Count(MaxLooks);
        for (var i = 0; i < looks; i++)
            book._looks.Add(new Look(Input.ReadTime(ref r), r.Text(), new TwinKey((TwinKind)r.Byte(), r.UInt64()),
                r.Text(), r.Count(int.MaxValue), Input.ReadTime(ref r), Input.ReadTime(ref r)));
        var told = r.Count(MaxTold);
        for (var i = 0; i < told; i++) book._told.Add((r.Text(), Input.ReadTime(ref r)));
        return book;
    }
}
