using System.Runtime.CompilerServices;
using Twin.Detection.Specification;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains.Meters;

/// <summary>Cryptographic checks of a meter, as bits: what a report without a twin would show.</summary>
[Flags]
public enum SecurityChecks : ushort
{
    None = 0, Signature = 1, Chain = 2, Sequence = 4, Checkpoint = 8, Nonce = 16, ApprovedImage = 32, Version = 64,
    FrameAuthentication = 128, FrameCounters = 256, KeyState = 512, FlashPages = 1024,
    MetrologySeal = 2048,
}

/// <summary>
/// The security side of one meter: its lineage, log, keys, counters, switch and what was already said. Null in a meter
/// that only sends readings. Everything here is a function of the journalled inputs; verdicts on signatures were given
/// at the door and journalled.
/// </summary>
internal sealed partial class MeterSecurity
{
    private const byte Version = 4;

    /// <summary>Most keys (one a slot) and counter windows: a slot has two directions. At the bound of windows the one
    /// that was used least recently goes: its next frame is taken on trust.</summary>
    public const int MaxKeys = 12, MaxWindows = 24;

    /// <summary>
    /// Challenges kept: two answered ones, and those without an answer. At the bound the oldest goes, and quotes of
    /// its time are not judged for freshness any more.
    /// </summary>
    public const int MaxChallenges = 8;
    private const int MaxAnswered = 2;

    [InlineArray(CakQuote.Parts)]
    private struct PartMarks
    {
        private PartMark _first;
    }

    private KeyMark[] _keys = [];
    private byte[] _publicKey = [];
    private FrameWindow[] _windows = [];
    private ChallengeMark[] _challenges = [];
    private FirmwareDrift? _drift;
    private SecurityRare? _rare;

    private PartMarks _parts;
    private Digest _head;
    private CakCounters _counters;
    private ulong _lastQuote;
    private int _bootExcess;
    private uint _seq, _baselinedAt, _quoteAt, _quoteMeterTime, _freshAt, _unverifiedAt, _heardAt, _stageAt;
    private uint _switchAt, _offSince, _commandAt, _oldKeyAt, _droppedThrough;

    /// <summary>The first load profile under a seal of the metrology.</summary>
    private uint _sealedSince;
    private ulong _oldKey;
    private SwitchState _switch;
    private SecurityChecks _done, _failed;
    private CommandKind _lastCommand;
    private LifeCycle _stage;
    private byte _badParts;
    private bool _eventsKnown, _attestedStageKnown;
    private LifeCycle _attestedStage;

    private SecurityRare Rare => _rare ??= new SecurityRare();

    public LifeCycle Stage => _stage;

    /// <summary>The switch as it was told last, and whether it was told at all.</summary>
    public (SwitchState State, bool IsKnown) Switch => (_switch, _switchAt != 0);

    /// <summary>The output was said to be open before a moment, and nothing since has said otherwise.</summary>
    public bool IsOffSince(uint moment) => _offSince != 0 && _offSince <= moment;

    private void SeeSwitch(in SwitchState state, uint at)
    {
        (_switch, _switchAt) = (state, at);
        if (state.Output) _offSince = 0;
        else if (_offSince == 0) _offSince = at;
    }

    public bool HasOrderAt(UnixTime at) => HasOrder(Moment.Of(at));

    public bool IsRetired => _stage == LifeCycle.Retired;
    private bool IsBaselined => _baselinedAt != 0;

    /// <summary>True while letters wait for a sweep, or something waits to be judged.</summary>
    public bool Waits => _rare is { } r && (r.Letters.Length > 0 || r.Pending.Length > 0 || r.Prints.Length > 0
        || IsBurst(r));

    public void Write(ByteWriter to)
    {
        to.Byte(Version);
        to.VarUInt((ulong)_keys.Length);
        foreach (ref readonly var k in _keys.AsSpan()) k.Write(to);
        to.Blob(_publicKey);
        to.VarUInt((ulong)_windows.Length);
        foreach (ref readonly var w in _windows.AsSpan()) w.Write(to);
        to.VarUInt((ulong)_challenges.Length);
        foreach (var c in _challenges) c.Write(to);
        WriteAttested(to);
        foreach (var moment in (ReadOnlySpan<uint>)[_unverifiedAt, _heardAt, _stageAt, _switchAt, _commandAt,
            _oldKeyAt, _droppedThrough, _sealedSince]) to.VarUInt(moment);
        to.UInt64(_oldKey);
        to.Bool(_switch.Output);
        to.Byte(_switch.ControlState);
        to.Byte(_switch.ControlMode);
        to.UInt16((ushort)_done);
        to.UInt16((ushort)_failed);
        to.Byte((byte)_lastCommand);
        to.Byte((byte)_stage);
        to.Byte(_badParts);
        to.Bool(_eventsKnown);
        to.Bool(_attestedStageKnown);
        to.Byte((byte)_attestedStage);
        to.Bool(_drift is not null);
        _drift?.Write(to);
        to.Bool(_rare is not null);
        _rare?.Write(to);
        _physical.Write(to);
        _cyber.Write(to);
        to.VarUInt(_offSince);
    }

    private void WriteAttested(ByteWriter to)
    {
        to.VarUInt(_baselinedAt);
        if (!IsBaselined) return;
        for (var i = 0; i < CakQuote.Parts; i++) _parts[i].Write(to);
        to.Put(_head);
        foreach (var n in (ReadOnlySpan<uint>)[_counters.Boots, _counters.PowerFailures, _counters.Watchdogs,
            _counters.Activations, _counters.Commanded, _counters.Crashes]) to.VarUInt(n);
        to.UInt64(_lastQuote);
        to.VarInt(_bootExcess);
        foreach (var n in (ReadOnlySpan<uint>)[_seq, _quoteAt, _quoteMeterTime, _freshAt]) to.VarUInt(n);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static MeterSecurity Read(ref ByteReader r)
    {
        var version = r.Byte();
        if (version is 0 or > Version)
            throw r.Bad($"security state has version {version}, this MeterTwin knows {Version}");
        var s = new MeterSecurity();
        var keys = r.Count(MaxKeys);
        if (keys > 0) s._keys = new KeyMark[keys];
        for (var i = 0; i < keys; i++) s._keys[i] = KeyMark.Read(ref r);
        s._publicKey = r.Blob().ToArray();
        var windows = r.Count(MaxWindows);
        if (windows > 0) s._windows = new FrameWindow[windows];
        for (var i = 0; i < windows; i++) s._windows[i] = FrameWindow.Read(ref r);
        var challenges = r.Count(MaxChallenges);
        if (challenges > 0) s._challenges = new ChallengeMark[challenges];
        for (var i = 0; i < challenges; i++) s._challenges[i] = ChallengeMark.Read(ref r);
        s.ReadAttested(ref r);
        (s._unverifiedAt, s._heardAt, s._stageAt) = (r.Count32(), r.Count32(), r.Count32());
        (s._switchAt, s._commandAt) = (r.Count32(), r.Count32());
        (s._oldKeyAt, s._droppedThrough) = (r.Count32(), r.Count32());
        // Version 1 knew no seals.
        (s._sealedSince, s._oldKey) = (version == 1 ? 0 : r.Count32(), r.UInt64());
        s._switch = new SwitchState(r.Bool(), r.Byte(), r.Byte());
        (s._done, s._failed) = ((SecurityChecks)r.UInt16(), (SecurityChecks)r.UInt16());
        s._lastCommand = (CommandKind)r.Byte(0, (int)CommandKind.SetReactionTable);
        s._stage = (LifeCycle)r.Byte(0, (int)LifeCycle.Retired);
        s._badParts = r.Byte();
        (s._eventsKnown, s._attestedStageKnown) = (r.Bool(), r.Bool());
        s._attestedStage = (LifeCycle)r.Byte(0, (int)LifeCycle.Retired);
        if (r.Bool()) s._drift = FirmwareDrift.Read(ref r);
        if (r.Bool()) s._rare = SecurityRare.Read(ref r, version > 2);
        if (version > 2) (s._physical, s._cyber) = (EvidenceMark.Read(ref r), EvidenceMark.Read(ref r));
        s._offSince = version > 3 ? r.Count32() : s._switchAt != 0 && !s._switch.Output ? s._switchAt : 0;
        return s;
    }

    private void ReadAttested(ref ByteReader r)
    {
        _baselinedAt = r.Count32();
        if (!IsBaselined) return;
        for (var i = 0; i < CakQuote.Parts; i++) _parts[i] = PartMark.Read(ref r);
        _head = r.Digest();
        _counters = new CakCounters(r.Count32(), r.Count32(), (ushort)r.Count(ushort.MaxValue),
            (ushort)r.Count(ushort.MaxValue), (ushort)r.Count(ushort.MaxValue), (ushort)r.Count(ushort.MaxValue));
        (_lastQuote, _bootExcess) = (r.UInt64(), r.Int());
        (_seq, _quoteAt, _quoteMeterTime, _freshAt) = (r.Count32(), r.Count32(), r.Count32(), r.Count32());
    }
}
