using System.Buffers.Binary;
using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>Something that happened, for the log. The kernel adds number, counters and head.</summary>
public readonly record struct CakEvent(CakEntryKind Kind, FirmwarePart Part, Digest Image = default, uint Version = 0,
    ushort SecurityVersion = 0, ushort Detail = 0, byte Slot = 0, BootCause Cause = BootCause.None);

/// <summary>What became of an event.</summary>
public enum CakOutcome : byte
{
    /// <summary>It is an entry, and durable.</summary>
    Recorded = 1,
    /// <summary>The log is full: the event was only counted, until a checkpoint makes room.</summary>
    Counted = 2,
    /// <summary>The log is full and the event may not happen unrecorded: do not do it.</summary>
    Refused = 3,
}

/// <summary>What became of a checkpoint.</summary>
public enum CheckpointOutcome : byte
{
    Truncated = 1, Malformed = 2, BadSignature = 3, OtherMeter = 4,
    /// <summary>It lies before what the log still holds, or behind its end.</summary>
    OutOfRange = 5,
    /// <summary>Its head is not the head that this log had there.</summary>
    OtherHead = 6,
    /// <summary>No head-end key was provisioned.</summary>
    NoKey = 7,
}

/// <summary>
/// The cumulative attestation kernel: what ran on this meter, in a hash chain that only grows. The idea is LeMay's and
/// Gunter's (ESORICS 2009), the layout our own. Invariants: an entry counts when its mark is whole, so a power cut at
/// any byte loses at most the entry being appended and never forks the chain; entries go away only behind a checkpoint
/// that the head-end countersigned.
/// <para>
/// Flash: a log of one page of 8 KiB, and a second page to swap to. RAM: the fields of this class and one buffer, at
/// most 2 KiB (<see cref="CakBudget"/>). When only <see cref="Reserved"/> slots are left, boots, crashes, sessions,
/// configuration, refusals and tamper events are counted in the page's tail, saturating at 256 of each sort; the
/// reserve is for images that change, keys, the life cycle and truncation. When the reserve is full as well, upgrades,
/// key changes and life-cycle steps are refused; a boot never is, because metering never stops. A checkpoint makes
/// room.
/// </para>
/// </summary>
public sealed partial class CakKernel
{
    private const uint Magic = 0x43414B31; // "CAK1"

    /// <summary>
    /// Base of the page: number and head before its first entry, counters, parts and life cycle there.
    /// </summary>
    internal const int HeaderBytes = 4 + Digest.Size + CounterBytes + CakQuote.Parts * PartBytes + 1;
    internal const int CounterBytes = 16, PartBytes = 38;

    /// <summary>Slots kept for entries that must not be lost.</summary>
    public const int Reserved = 8;

    private readonly Flash _flash;
    private readonly KeyVault _vault;
    private readonly FlashLog _log;
    private readonly PartState[] _state = new PartState[CakQuote.Parts];
    private readonly ushort[] _tally = new ushort[Sorts];
    private EcPublicKey? _headEnd;
    private ulong _systemTitle;
    private uint _baseSeq;
    private Digest _baseHead;
    private uint _seq;
    private Digest _head;
    private CakCounters _counters;
    private LifeCycle _lifeCycle;
    private byte _damaged;

    public CakKernel(Flash flash, KeyVault vault)
    {
        _flash = flash;
        _vault = vault;
        _log = new FlashLog(flash, FlashMap.CakLog, Magic, HeaderBytes, CakEntry.Size, TailBytes);
    }

    /// <summary>Number of the last entry; 0 before the first.</summary>
    public uint LastSeq => _seq;
    public Digest Head => _head;

    /// <summary>Number and head up to which the log has been truncated.</summary>
    public uint BaseSeq => _baseSeq;
    public Digest BaseHead => _baseHead;
    public LifeCycle LifeCycle => _lifeCycle;

    /// <summary>Counters with the events that a full log only counted.</summary>
    public CakCounters Counters => WithTally(_counters);

    /// <summary>Events that are counted and not recorded, since the log was last truncated.</summary>
    public ushort Unrecorded => (ushort)Math.Min(_tally.Sum(t => t), ushort.MaxValue);

    /// <summary>Committed entries whose check failed at the last start: bit rot or tampering. At most 255.</summary>
    public int Damaged => _damaged;

    /// <summary>Entries that the log has room for: all kinds, and those that use the reserve.</summary>
    public int Room => Math.Max(0, _log.Free - Reserved);

    /// <inheritdoc cref="Room"/>
    public int RoomWithReserve => _log.Free;

    public PartState Of(FirmwarePart part) => _state[(int)part - 1];

    /// <summary>What provisioning fixes: whose log it is, and who may countersign checkpoints.</summary>
    internal void Provision(ulong systemTitle, EcPublicKey? headEnd) =>
        (_systemTitle, _headEnd) = (systemTitle, headEnd);

    /// <summary>
    /// Reads the log after power-on; a chip without one gets an empty one. Writes nothing to a log that is there.
    /// </summary>
    internal void Start()
    {
        if (!_log.TryOpen())
        {
            Reset();
            _log.BeginSwap(Header());
            _log.CommitSwap();
        }
        Span<byte> header = stackalloc byte[HeaderBytes];
        _log.ReadHeader(header);
        TakeHeader(header);
        Span<byte> record = stackalloc byte[CakEntry.Size];
        _damaged = 0;
        for (var slot = 0; slot < _log.Used; slot++)
        {
            var state = _log.Read(slot, record);
            if (state == SlotState.Damaged && _damaged < byte.MaxValue) _damaged++;
            // A damaged entry stays in the chain as it is read now: the twin, which has its digest, sees the
            // difference.
            if (state != SlotState.Torn) Follow(record);
        }
        ReadTally();
    }

    /// <summary>Records an event, or counts or refuses it when the log is full.</summary>
    /// <exception cref="PowerLossException">The supply failed; the entry may or may not count.</exception>
    public CakOutcome Append(in CakEvent happened, uint meterTime, uint uptime)
    {
        var kept = IsKept(happened);
        if (_log.Free <= (kept ? 0 : Reserved) && !TryCompact(kept ? 0 : Reserved))
        {
            if (MayBeRefused(happened.Kind)) return CakOutcome.Refused;
            Count(happened);
            return CakOutcome.Counted;
        }
        Span<byte> record = stackalloc byte[CakEntry.Size];
        Next(happened, _counters, meterTime, uptime).Write(record);
        _log.Append(record);
        Follow(record);
        return CakOutcome.Recorded;
    }

    /// <summary>Drops what lies behind a countersigned checkpoint, and says so in an entry.</summary>
    /// <exception cref="PowerLossException">The supply failed; the log is as it was, or truncated.</exception>
    public CheckpointOutcome TakeCheckpoint(ReadOnlySpan<byte> bytes, uint meterTime, uint uptime)
    {
        if (_headEnd is null) return CheckpointOutcome.NoKey;
        if (!CakCheckpoint.TryRead(bytes, _headEnd, out var checkpoint, out var signed))
            return CheckpointOutcome.Malformed;
        if (!signed) return CheckpointOutcome.BadSignature;
        if (checkpoint.SystemTitle != _systemTitle) return CheckpointOutcome.OtherMeter;
        if (checkpoint.Seq <= _baseSeq || checkpoint.Seq > _seq) return CheckpointOutcome.OutOfRange;
        if (HeadAt(checkpoint.Seq) != checkpoint.Head) return CheckpointOutcome.OtherHead;
        Truncate(checkpoint, meterTime, uptime);
        return CheckpointOutcome.Truncated;
    }

    /// <summary>
    /// A signed quote over a fresh nonce: at most <see cref="CakQuote.MaxEntries"/> entries behind
    /// <paramref name="since"/>, or from the base on when those are gone; null without a signing key.
    /// </summary>
    public byte[]? Quote(UInt128 nonce, uint since, in QuoteContext now)
    {
        if (_vault.SigningKey is not { } key) return null;
        var (from, baseHead, entries, head) = Collect(since);
        var quote = new CakQuote
        {
            SystemTitle = _systemTitle, Nonce = nonce, FirstSeq = from + 1, BaseHead = baseHead, Entries = entries,
            Head = head, LastSeq = _seq, State = [.. _state], Counters = Counters, Switch = now.Switch,
            LifeCycle = _lifeCycle, MeterTime = now.MeterTime, ChangedPages = now.ChangedPages,
            FirstChangedPage = now.FirstChangedPage, Unrecorded = Unrecorded, KeyFingerprint = key.KeyId(),
        };
        var signed = quote.ToSign();
        Span<byte> signature = stackalloc byte[key.Curve.SignatureBytes];
        return _vault.TrySign(key.Curve.Digest(signed), signature) ? CakQuote.WithSignature(signed, signature) : null;
    }

    /// <summary>Entries of the log, oldest first, at most a page of them.</summary>
    public IReadOnlyList<CakEntry> Entries() => Collect(_baseSeq).Entries;

    private (uint From, Digest BaseHead, CakEntry[] Entries, Digest Head) Collect(uint since)
    {
        var from = Math.Clamp(since, _baseSeq, _seq);
        var (seq, head) = (_baseSeq, _baseHead);
        var baseHead = head;
        var entries = new List<CakEntry>(Math.Min((int)(_seq - from), CakQuote.MaxEntries));
        Span<byte> record = stackalloc byte[CakEntry.Size];
        for (var slot = 0; slot < _log.Used && entries.Count < CakQuote.MaxEntries; slot++)
        {
            if (_log.Read(slot, record) == SlotState.Torn) continue;
            head = HeadAfter(head, record);
            seq++;
            if (seq > from && CakEntry.TryRead(record, out var entry))
            {
                entries.Add(entry);
                continue;
            }
            // Before what was asked for, or rotten beyond reading: the answer begins behind it.
            entries.Clear();
            (from, baseHead) = (Math.Max(from, seq), head);
        }
        return (from, baseHead, [.. entries], head);
    }

    private Digest HeadAt(uint seq)
    {
        var (at, head) = (_baseSeq, _baseHead);
        Span<byte> record = stackalloc byte[CakEntry.Size];
        for (var slot = 0; slot < _log.Used && at < seq; slot++)
        {
            if (_log.Read(slot, record) == SlotState.Torn) continue;
            head = HeadAfter(head, record);
            at++;
        }
        return head;
    }

    /// <summary>
    /// Writes the other page: base at the checkpoint, the entries behind it, and the TRUNCATE entry, whose image is the
    /// checkpoint's head and whose version is its number. Its counters take in what was only counted. One commit mark
    /// makes it all count.
    /// </summary>
    internal void Truncate(CakCheckpoint checkpoint, uint meterTime, uint uptime)
    {
        var happened = new CakEvent(CakEntryKind.Truncate, FirmwarePart.Cak, checkpoint.Head, checkpoint.Seq);
        Span<byte> last = stackalloc byte[CakEntry.Size];
        Next(happened, Counters, meterTime, uptime).Write(last);
        Swap(checkpoint.Seq, last);
        Start();
    }

    /// <summary>
    /// Drops torn slots when that leaves more than <paramref name="reserve"/> free; keeps what was counted.
    /// </summary>
    private bool TryCompact(int reserve)
    {
        var live = (int)(_seq - _baseSeq);
        if (_log.Used == live || _log.Capacity - live <= reserve) return false;
        Swap(_baseSeq, []);
        Start();
        return true;
    }

    private void Swap(uint newBase, ReadOnlySpan<byte> last)
    {
        Span<byte> header = stackalloc byte[HeaderBytes], record = stackalloc byte[CakEntry.Size];
        _log.ReadHeader(header);
        TakeHeader(header);
        var begun = false;
        for (var slot = 0; slot <= _log.Used; slot++)
        {
            if (!begun && _seq == newBase)
            {
                (_baseSeq, _baseHead, begun) = (_seq, _head, true);
                _log.BeginSwap(Header());
            }
            if (slot == _log.Used) break;
            if (_log.Read(slot, record) == SlotState.Torn) continue;
            if (begun) _log.Copy(record);
            Follow(record);
        }
        if (last.IsEmpty) _log.CopyTail();
        else _log.Copy(last);
        _log.CommitSwap();
    }
}
