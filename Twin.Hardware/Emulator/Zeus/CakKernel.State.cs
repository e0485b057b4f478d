using System.Buffers.Binary;
using System.Numerics;
using Twin.Hardware.Attestation;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>What a quote says besides the log: the caller's to know.</summary>
public readonly record struct QuoteContext(SwitchState Switch, uint MeterTime, ushort ChangedPages = 0,
    ushort FirstChangedPage = 0);

public sealed partial class CakKernel
{
    /// <summary>Sorts of counted events, and bits of each in the tail of the page.</summary>
    private const int Sorts = 6, BitsOfSort = 256, TailBytes = Sorts * BitsOfSort / 8;

    private const int Crash = 4, Other = 5;

    private void Reset()
    {
        (_baseSeq, _seq, _baseHead, _head) = (0, 0, Digest.None, Digest.None);
        (_counters, _lifeCycle) = (default, LifeCycle.Blank);
        Array.Clear(_state);
        Array.Clear(_tally);
    }

    private byte[] Header()
    {
        var bytes = new byte[HeaderBytes];
        var w = bytes.AsSpan();
        BinaryPrimitives.WriteUInt32BigEndian(w, _seq);
        _head.Write(w[4..]);
        w = w[(4 + Digest.Size)..];
        BinaryPrimitives.WriteUInt32BigEndian(w, _counters.Boots);
        BinaryPrimitives.WriteUInt32BigEndian(w[4..], _counters.PowerFailures);
        BinaryPrimitives.WriteUInt16BigEndian(w[8..], _counters.Watchdogs);
        BinaryPrimitives.WriteUInt16BigEndian(w[10..], _counters.Activations);
        BinaryPrimitives.WriteUInt16BigEndian(w[12..], _counters.Commanded);
        BinaryPrimitives.WriteUInt16BigEndian(w[14..], _counters.Crashes);
        w = w[CounterBytes..];
        foreach (var part in _state)
        {
            part.Image.Write(w);
            BinaryPrimitives.WriteUInt32BigEndian(w[Digest.Size..], part.Version);
            BinaryPrimitives.WriteUInt16BigEndian(w[(Digest.Size + 4)..], part.SecurityVersion);
            w = w[PartBytes..];
        }
        w[0] = (byte)_lifeCycle;
        return bytes;
    }

    private void TakeHeader(ReadOnlySpan<byte> r)
    {
        _baseSeq = _seq = BinaryPrimitives.ReadUInt32BigEndian(r);
        _baseHead = _head = Digest.Read(r[4..]);
        r = r[(4 + Digest.Size)..];
        _counters = new CakCounters(BinaryPrimitives.ReadUInt32BigEndian(r),
            BinaryPrimitives.ReadUInt32BigEndian(r[4..]), BinaryPrimitives.ReadUInt16BigEndian(r[8..]),
            BinaryPrimitives.ReadUInt16BigEndian(r[10..]), BinaryPrimitives.ReadUInt16BigEndian(r[12..]),
            BinaryPrimitives.ReadUInt16BigEndian(r[14..]));
        r = r[CounterBytes..];
        for (var i = 0; i < _state.Length; i++, r = r[PartBytes..])
            _state[i] = new PartState(Digest.Read(r), BinaryPrimitives.ReadUInt32BigEndian(r[Digest.Size..]),
                BinaryPrimitives.ReadUInt16BigEndian(r[(Digest.Size + 4)..]));
        _lifeCycle = (LifeCycle)r[0];
    }

    private static Digest HeadAfter(Digest before, ReadOnlySpan<byte> record)
    {
        Span<byte> bytes = stackalloc byte[Digest.Size + CakEntry.Size];
        before.Write(bytes);
        record.CopyTo(bytes[Digest.Size..]);
        return Digest.Of(bytes);
    }

    /// <summary>Takes an entry into head, number, counters and state.</summary>
    private void Follow(ReadOnlySpan<byte> record)
    {
        _head = HeadAfter(_head, record);
        _seq++;
        if (!CakEntry.TryRead(record, out var entry)) return;
        _counters = entry.Counters;
        if (entry.Kind == CakEntryKind.LifeCycle) _lifeCycle = (LifeCycle)entry.Detail;
        if (Sets(entry.Kind, entry.Part))
            _state[(int)entry.Part - 1] = new PartState(entry.Image, entry.Version, entry.SecurityVersion);
    }

    /// <summary>Entries that say what a part is from now on.</summary>
    private static bool Sets(CakEntryKind kind, FirmwarePart part) => kind switch
    {
        CakEntryKind.Boot or CakEntryKind.Upgrade or CakEntryKind.Rollback => part != FirmwarePart.Device,
        CakEntryKind.Config => part is FirmwarePart.Calibration or FirmwarePart.ReactionTable,
        _ => false,
    };

    private CakEntry Next(in CakEvent e, in CakCounters before, uint meterTime, uint uptime) => new(_seq + 1, e.Kind,
        e.Part, e.Slot, e.Cause, e.Image, e.Version, e.SecurityVersion, e.Detail, meterTime, uptime,
        IsWithoutCause(e) ? before with { Boots = Add(before.Boots, 1) } : Plus(before, SortOf(e), 1));

    /// <summary>The device started, and no register tells why: it counts as a boot and as nothing else.</summary>
    private static bool IsWithoutCause(in CakEvent e) => e is
    {
        Kind: CakEntryKind.Boot, Cause: BootCause.None,
        Part: FirmwarePart.Device or FirmwarePart.Application
    };

    /// <summary>Entries that the reserve is for: what changes which code runs, keys, life cycle.</summary>
    private bool IsKept(in CakEvent e) => e.Kind switch
    {
        CakEntryKind.Upgrade or CakEntryKind.Rollback or CakEntryKind.KeyChange or CakEntryKind.LifeCycle => true,
        CakEntryKind.Boot => e.Part != FirmwarePart.Device && Of(e.Part).Image != e.Image,
        _ => false,
    };

    /// <summary>Entries that are only asked for before the thing is done, so that it can be left undone.</summary>
    private static bool MayBeRefused(CakEntryKind kind) =>
        kind is CakEntryKind.Upgrade or CakEntryKind.KeyChange or CakEntryKind.LifeCycle;

    private static int SortOf(in CakEvent e) => e.Kind switch
    {
        CakEntryKind.Boot when e.Cause != BootCause.None => (int)e.Cause - 1,
        CakEntryKind.AppCrash => Crash,
        _ => Other,
    };

    private static CakCounters Plus(in CakCounters c, int sort, int more) => sort switch
    {
        0 => c with { Boots = Add(c.Boots, more), PowerFailures = Add(c.PowerFailures, more) },
        1 => c with { Boots = Add(c.Boots, more), Watchdogs = Add(c.Watchdogs, more) },
        2 => c with { Boots = Add(c.Boots, more), Activations = Add(c.Activations, more) },
        3 => c with { Boots = Add(c.Boots, more), Commanded = Add(c.Commanded, more) },
        Crash => c with { Crashes = Add(c.Crashes, more) },
        _ => c,
    };

    private static uint Add(uint count, int more) => (uint)Math.Min((long)count + more, uint.MaxValue);
    private static ushort Add(ushort count, int more) => (ushort)Math.Min(count + more, ushort.MaxValue);

    private CakCounters WithTally(CakCounters counters)
    {
        for (var sort = 0; sort < Sorts; sort++) counters = Plus(counters, sort, _tally[sort]);
        return counters;
    }

    /// <summary>
    /// Clears the next bit of the event's sort in the tail; at <see cref="BitsOfSort"/> the count stands still. What
    /// runs now is known even when it could not be recorded.
    /// </summary>
    private void Count(in CakEvent e)
    {
        if (Sets(e.Kind, e.Part)) _state[(int)e.Part - 1] = new PartState(e.Image, e.Version, e.SecurityVersion);
        var sort = SortOf(e);
        int count = _tally[sort];
        if (count == BitsOfSort) return;
        var at = _log.Tail + sort * BitsOfSort / 8 + count / 8;
        _flash.Program(_log.Page, at, [(byte)(0xFF & ~(1 << count % 8))]);
        _tally[sort]++;
    }

    private void ReadTally()
    {
        Span<byte> tail = stackalloc byte[TailBytes];
        _flash.Read(_log.Page, _log.Tail, tail);
        for (var sort = 0; sort < Sorts; sort++)
        {
            var set = 0;
            foreach (var b in tail.Slice(sort * BitsOfSort / 8, BitsOfSort / 8)) set += BitOperations.PopCount(b);
            _tally[sort] = (ushort)(BitsOfSort - set);
        }
    }
}
