using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Grains.Cases;
using Twin.Grains.Fleet;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>
/// One of the 64 partitions of what must be seen across meters (<see cref="FleetPartition"/>): keys and who uses them,
/// signatures, images and releases, field tools, campaigns; and in partition 1 what counts over the whole fleet. It
/// hears letters at a sweep and never answers a meter, so that a meter's past can be rebuilt from its own inputs. The
/// twin under id 0 is the door for time and judging versions, and keeps nothing.
///
/// Invariant: the state is a function of journal and sweeps; letters of one sweep fold in order of event time and
/// sender.
/// </summary>
public sealed partial class FleetTwin(ulong id) : ReportingTwin(id)
{
    private const byte StateVersion = 4, EmptyStateVersion = 1;

    /// <summary>Pairs of part and model that wait to be told to the other partitions.</summary>
    private const int MaxAnnouncements = ImageBook.MaxModels;

    private long _now;
    private bool _ordersKnown, _tellOrders;
    private KeyHolders _keys = new();
    private SignatureRing _signatures = new();
    private ImageBook _images = new();
    private ToolLedger _tools = new();
    private CampaignBook _campaigns = new();
    private SwitchWatch _switching = new();
    private StormWatch _storms = new();
    private GroupShares _groups = new();
    private readonly List<(FirmwarePart Part, string Model, uint Version)> _announcements = [];

    private bool IsWhole => Id == FleetPartition.Whole.Id;

    private Party Self => new(new TwinKey(TwinKind.Fleet, Id), IsWhole ? "fleet" : $"fleet partition {Id}");

    /// <summary>Sixty-four twins at most: each sweep tells them the time, by which campaigns are judged.</summary>
    protected override bool WaitsBesides => Id != TwinKey.Everyone;

    protected override bool HearsSweeps => true;

    protected override SubjectContext ContextOf(UnixTime at) => SubjectContext.Of(Self.Name);

    /// <summary>The twin for people.</summary>
    public FleetView View() => new(new TwinKey(TwinKind.Fleet, Id), _now == 0 ? null : new UnixTime(_now), _keys.Count,
        _keys.Shared, _signatures.Count, _images.Releases, _images.Unknown, _tools.Count, _campaigns.Count,
        _switching.Kept, _groups.Count, _ordersKnown);

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        var kind = Envelope.Read(input).Kind;
        if (kind == InputKind.Verdict) return Verdicts.Admit(input, "fleet", "", accepted);
        var isTime = kind is InputKind.Tick or InputKind.SourceEnded or InputKind.JudgingVersion or InputKind.Sweep;
        if (!isTime && Refuse(kind, input) is { } reason) return Admission.Reject(reason);
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    private string? Refuse(InputKind kind, ReadOnlySpan<byte> input)
    {
        if (kind != InputKind.Release || Input.Read(input) is not Release release)
            return $"fleet: an input of kind {kind} does not come through this door";
        if (release.Image.IsNone)
            return $"fleet: release {release.Name} has no image digest; give the SHA-256 of the image";
        if (!Contexts.IsPossible(release.At) || !Contexts.IsPossible(release.Withdrawn))
            return $"fleet: release {release.Name} is dated over 950 years from 1970; correct its dates";
        if (Relations.MaxRowBytes < input.Length)
            return $"fleet: release {release.Name} is over {Relations.MaxRowBytes} bytes; shorten its texts";
        return _images.HasRoomFor(release) ? null
            : $"fleet: partition {Id} holds {ImageBook.MaxReleases} releases already; release {release.Name} is not "
                + "taken, because another would have to be forgotten";
    }

    /// <exception cref="InvalidDataException">Damaged, or a kind the fleet does not know.</exception>
    protected override void ApplyInput(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        switch (Input.Read(input))
        {
            case Release release: Register(release, outbox); break;
            case Sweep sweep: OnSweep(sweep.At, outbox); break;
            case Tick or SourceEnded or JudgingVersion or Verdict: break;
            case var other: throw new InvalidDataException($"The fleet cannot apply an input of kind {other.Kind}.");
        }
    }

    private void Register(Release release, IOutbox outbox)
    {
        var isNew = _images.Register(release, Self, Scratch.Mine.SinkTo(outbox));
        if (isNew && _announcements.Count < MaxAnnouncements)
            _announcements.Add((release.Part, release.Model, release.Version));
    }

    private void OnSweep(UnixTime at, IOutbox outbox)
    {
        if (Id == TwinKey.Everyone) return;
        _now = Math.Max(_now, at.Seconds);
        Announce(at, outbox);
        Judge(outbox);
    }

    /// <summary>Partitions know of each other only what all must know: models with releases, and that orders come.
    /// </summary>
    private void Announce(UnixTime at, IOutbox outbox)
    {
        if (_announcements.Count == 0 && !_tellOrders) return;
        var body = Scratch.Mine.Bytes;
        body.Clear();
        foreach (var (part, model, version) in _announcements)
            new FleetLetter(FleetLetterKind.ModelRegistered, at, 0, (byte)part, version, false, "", model).Write(body);
        if (_tellOrders) new FleetLetter(FleetLetterKind.OrdersKnown, at, 0, 0, 0, false, "", "").Write(body);
        for (ulong partition = 1; partition <= FleetPartition.Count; partition++)
            if (partition != Id) outbox.Send(new TwinKey(TwinKind.Fleet, partition), body.Written);
        _announcements.Clear();
        _tellOrders = false;
    }

    /// <exception cref="InvalidDataException">A message is damaged.</exception>
    protected override void ReceiveMail(IInbox inbox, IOutbox outbox)
    {
        try
        {
            var letters = FleetLetterBox.Open(inbox);
            // Before the first sweep the letters themselves tell the time; a single wrong clock must not.
            if (_now == 0 && letters.Count > 0) _now = letters[letters.Count / 2].Letter.At.Seconds;
            var sink = Scratch.Mine.SinkTo(outbox);
            foreach (var received in letters) Hear(received, sink);
            HearNews(inbox, outbox);
            Judge(outbox);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A message to fleet partition {Id} is damaged: {e.Message}", e);
        }
    }

    /// <summary>A device whose clock runs a day ahead or more is taken to speak now.</summary>
    private const int MaxSecondsAhead = 86_400;

    private void Hear(in ReceivedLetter received, IFindingSink sink)
    {
        var letter = received.Letter;
        if (letter.Aspect > MaxAspect(letter.Kind))
            throw new InvalidDataException($"A letter of kind {letter.Kind} has the unknown aspect {letter.Aspect}.");
        // Groups tell of days, and no device clock stands behind that.
        if (letter.Kind == FleetLetterKind.GroupTotals) _now = Math.Max(_now, letter.At.Seconds);
        var at = letter.At.Seconds > _now + MaxSecondsAhead ? new UnixTime(_now) : letter.At;
        var name = letter.Name.Length > 0 ? letter.Name : new MeterId(received.From.Id).ToString();
        var who = new Party(received.From, name);
        switch (letter.Kind)
        {
            case FleetLetterKind.KeySeen: _keys.Note(letter.Hash, letter.Aspect, who, at, Self, sink); break;
            case FleetLetterKind.SignatureSeen:
                _signatures.Note(letter.Hash, letter.Extra, MessageTag(letter.Text), who, at, sink);
                break;
            case FleetLetterKind.ImageSeen:
                _images.Note(letter.Hash, (FirmwarePart)letter.Aspect, letter.Text, VersionOf(letter), letter.Flag, who,
                    at, Self, sink);
                break;
            case FleetLetterKind.ToolUsed:
                KnowOrders(letter.Flag);
                _tools.Note(letter.Hash, letter.Text, letter.Flag, _ordersKnown, who, at, Self, sink);
                break;
            case FleetLetterKind.Switched:
                KnowOrders(letter.Flag);
                _switching.Note(new Switching(at.Seconds, who, (CommandKind)letter.Aspect,
                    (CommandOrigin)Math.Min(letter.Extra, (ulong)CommandOrigin.Mesh), letter.Flag, letter.Text));
                break;
            case FleetLetterKind.CampaignProgress:
                _campaigns.Note(letter.Hash, letter.Text, (CampaignState)letter.Aspect,
                    (long)Math.Min(letter.Extra, int.MaxValue), who, at);
                break;
            default: HearCounts(letter, who, at, sink); break;
        }
    }

    private static int MaxAspect(FleetLetterKind kind) => kind switch
    {
        FleetLetterKind.ImageSeen or FleetLetterKind.ModelRegistered => (int)FirmwarePart.ReactionTable,
        FleetLetterKind.Switched => (int)CommandKind.SetReactionTable,
        FleetLetterKind.CampaignProgress => (int)CampaignState.Failed,
        FleetLetterKind.GroupTotals => (int)GroupKind.Plant,
        _ => byte.MaxValue,
    };

    private void HearCounts(in FleetLetter letter, in Party who, UnixTime at, IFindingSink sink)
    {
        switch (letter.Kind)
        {
            case FleetLetterKind.EventBurst:
                _storms.Note(who.Key.Id, (long)Math.Min(letter.Extra, int.MaxValue), at);
                break;
            case FleetLetterKind.FindingStated:
                _storms.NoteFinding((FindingKind)letter.Aspect, who, at);
                break;
            case FleetLetterKind.ModelRegistered:
                _images.Learn((FirmwarePart)letter.Aspect, letter.Text, VersionOf(letter));
                break;
            case FleetLetterKind.OrdersKnown: _ordersKnown = true; break;
            case FleetLetterKind.GroupTotals:
                var day = (int)(at.Seconds / 86_400);
                _groups.Note(letter.Hash, (GroupKind)letter.Aspect, letter.Text,
                    (int)Math.Min(letter.Extra & uint.MaxValue, int.MaxValue),
                    (int)Math.Min(letter.Extra >> 32, int.MaxValue), day);
                break;
            default: throw new InvalidDataException($"Fleet partition {Id} got a letter of kind {letter.Kind}.");
        }
    }

    private static uint VersionOf(in FleetLetter letter) => (uint)Math.Min(letter.Extra, uint.MaxValue);

    private void KnowOrders(bool covered)
    {
        if (!covered || _ordersKnown) return;
        (_ordersKnown, _tellOrders) = (true, true);
    }

    /// <summary>Letters tell messages apart by text: the hexadecimal begin of a digest, or nothing.</summary>
    private static uint MessageTag(string text) => text.Length == 0 ? 0 : (uint)(StableHash.Of(text) >> 32) | 1;

    private void Judge(IOutbox outbox)
    {
        var sink = Scratch.Mine.SinkTo(outbox);
        var now = new UnixTime(_now);
        _campaigns.Judge(now, Self, sink);
        if (!IsWhole) return;
        _switching.Judge(now, _ordersKnown, Self, sink);
        _storms.Judge(now, Self, sink);
        _groups.Judge(sink);
    }

    public override void Write(ByteWriter to)
    {
        if (Id == TwinKey.Everyone)
        {
            to.Byte(EmptyStateVersion);
            return;
        }
        to.Byte(StateVersion);
        to.VarInt(_now);
        to.Bool(_ordersKnown);
        to.Bool(_tellOrders);
        to.VarUInt((ulong)_announcements.Count);
        foreach (var (part, model, version) in _announcements)
        {
            to.Byte((byte)part);
            to.Text(model);
            to.VarUInt(version);
        }
        _keys.Write(to);
        _signatures.Write(to);
        _images.Write(to);
        _tools.Write(to);
        _campaigns.Write(to);
        _switching.Write(to);
        _storms.Write(to);
        _groups.Write(to);
        WriteNews(to);
        WriteReports(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static FleetTwin Restore(ulong id, ReadOnlySpan<byte> state)
    {
        try
        {
            return Read(id, state);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The state of fleet partition {id} is damaged: {e.Message}", e);
        }
    }

    private static FleetTwin Read(ulong id, ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        var twin = new FleetTwin(id);
        var version = r.Byte();
        if (version == EmptyStateVersion) return twin;
        if (version is not (>= 2 and <= StateVersion))
            throw r.Bad($"the fleet's state has version {version}, this MeterTwin knows {StateVersion}");
        twin._now = Input.ReadTime(ref r).Seconds;
        (twin._ordersKnown, twin._tellOrders) = (r.Bool(), r.Bool());
        var announcements = r.Count(MaxAnnouncements);
        for (var i = 0; i < announcements; i++)
            twin._announcements.Add(((FirmwarePart)r.Byte(0, (int)FirmwarePart.ReactionTable), r.Text(),
                (uint)Math.Min(r.VarUInt(), uint.MaxValue)));
        twin._keys = KeyHolders.Read(ref r);
        twin._signatures = SignatureRing.Read(ref r);
        twin._images = ImageBook.Read(ref r);
        twin._tools = ToolLedger.Read(ref r);
        twin._campaigns = CampaignBook.Read(ref r);
        twin._switching = SwitchWatch.Read(ref r);
        twin._storms = StormWatch.Read(ref r);
        twin._groups = GroupShares.Read(ref r);
        if (version > 2) twin.ReadNews(ref r);
        if (version > 3) twin.ReadReports(ref r);
        return r.AtEnd ? twin : throw r.Bad("bytes are left behind a fleet partition's state");
    }
}
