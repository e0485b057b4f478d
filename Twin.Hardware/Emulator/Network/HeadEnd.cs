using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Emulator.Network;

/// <summary>A frame that the head-end hands to the backhaul.</summary>
public readonly record struct Outgoing(int Meter, byte[] Frame, long AtMs, bool IsRecovery);

/// <summary>
/// The head-end of an emulated utility: holds the keys handed over at enrolment, challenges meters, sends commands with
/// their work orders, rolls keys over and images out, asks again for what is missing of a load profile. All goes as
/// ciphered frames through the mesh; what the utility itself knows of it (nonces, work orders, campaign states, key
/// changes, checkpoints) comes out as inputs. Its chance is seeded; a real head-end takes nonces and keys from the
/// operating system's generator.
/// </summary>
public sealed partial class HeadEnd
{
    /// <summary>Hours in which the head-end tries to reach a meter: mesh and delay of the meter have to fit.</summary>
    public const int OrderHours = 24;

    /// <summary>Hours that a work order stays open: a weekend on which nothing is switched off lies between.</summary>
    public const int WorkOrderHours = 7 * 24;

    /// <summary>Entries behind the last checkpoint from which on a new one is issued: before a log is full.</summary>
    public const int CheckpointEntries = 30;

    /// <summary>The head-end's own system title: "MTW", then its number.</summary>
    public const ulong SystemTitle = 0x4D54_5700_0000_0001;

    private sealed class Known
    {
        public long ChallengeAt, PeriodSeconds;
        public uint LastSeq, CheckpointSeq;
        public ProfileBook Profile = new(0, 1, 1);
    }

    private readonly FleetPlan _plan;
    private readonly HeadEndLink[] _links;
    private readonly Known[] _known;
    private readonly Queue<Outgoing> _outgoing = [];
    private readonly List<Input> _notes = [];
    private readonly List<(HeadEndLink Link, HeadEndAnswer Answer)> _ended = [];
    private readonly List<Input> _told = [];
    private readonly List<Campaign> _campaigns = [];
    private readonly SplitMix64 _nonces;
    private readonly HeadEndDesk _desk;
    private int _orders, _numbers;

    internal HeadEnd(FleetPlan plan, HeadEndKeys keys)
    {
        (_plan, Keys) = (plan, keys);
        _nonces = SplitMix64.For(plan.Options.Seed, "nonces");
        Signer = new SigningKey(NistCurve.P256, plan.Options.Seed, "head-end");
        _desk = new HeadEndDesk(SystemTitle, Signer, plan.Options.Seed, HeadEndKeys.Suite);
        _links = [.. plan.Meters.Select(m => new HeadEndLink(m.Index, m.Id))];
        var phase = SplitMix64.For(plan.Options.Seed, "challenges");
        var period = 3_600L * plan.Options.AttestHours;
        _known = [.. plan.Meters.Select(_ => new Known
        {
            ChallengeAt = plan.Start.Seconds + (long)(phase.NextDouble() * period), PeriodSeconds = period,
            Profile = new ProfileBook(plan.Start.Minutes, plan.Options.IntervalMinutes,
                plan.Options.PushMinutes),
        })];
    }

    public HeadEndKeys Keys { get; }

    /// <summary>Countersigns checkpoints and reaction tables.</summary>
    public SigningKey Signer { get; }
    public IReadOnlyList<Campaign> Campaigns => _campaigns;

    /// <summary>Requests that nothing came back for, and those that a meter did not do.</summary>
    public int Unanswered { get; private set; }
    public int Refused { get; private set; }

    /// <summary>Times that a part of a load profile was asked for again.</summary>
    public int Resent { get; private set; }

    /// <summary>Intervals of a meter's load profile that are overdue.</summary>
    public int MissingIntervals(int meter, UnixTime now) => _known[meter].Profile.CountMissing(now.Minutes);

    /// <summary>Whether challenges go out by themselves.</summary>
    public bool IsChallenging { get; set; } = true;

    internal bool TryTakeFrame(out Outgoing frame) => _outgoing.TryDequeue(out frame);

    /// <summary>What the utility came to know since last asked, in order.</summary>
    internal void TakeNotes(List<Input> to)
    {
        to.AddRange(_notes);
        _notes.Clear();
    }

    /// <summary>Sends what is due; called at least once an interval.</summary>
    internal void Tick(UnixTime now)
    {
        for (var m = 0; m < _links.Length; m++)
        {
            if (_known[m].ChallengeAt <= now.Seconds)
            {
                _known[m].ChallengeAt += _known[m].PeriodSeconds;
                if (IsChallenging) Challenge(m, now);
            }
            if (_known[m].Profile.Missing(now.Minutes) is { } from
                && Queue(m, now, HeadEndWork.Resend, MeterCommands.ResendFrom(UnixTime.FromMinutes(from)), ""))
                Resent++;
            foreach (var campaign in _campaigns) Advance(campaign, m, now);
            Pump(_links[m], 1_000 * now.Seconds);
        }
    }

    /// <summary>A frame came in: an answer, a quote, a part of a load profile, or something for others.</summary>
    internal void Take(in MeshArrival arrival)
    {
        var link = _links[arrival.Meter];
        if (!TcpWrapper.TryRead(arrival.Bytes, out var frame, out _)
            || !Protected.TryRead(frame.Apdu, default, out var message, out _)
            || MeterId.FromSystemTitle(message.Originator) != link.Id) return;
        if (_pending.Contains(arrival.Meter) && Keys.TryAdvance(link.Id, message)) NoteRollover(link, arrival.At);
        var buffer = new byte[message.Payload.Length];
        if (!message.TryOpen(Keys, link.Id, buffer, out var length, out _)) return;
        var plain = buffer.AsSpan(0, length);
        if (DataNotification.TryRead(plain, out var push, out _)) TakePush(link, push.Body, arrival.At);
        Pump(link, arrival.AtMs);
    }

    private void TakePush(HeadEndLink link, ReadOnlySpan<byte> body, UnixTime at)
    {
        if (LoadProfilePush.Matches(body))
        {
            _known[link.Meter].Profile.Take(body);
            return;
        }
        if (!DeviceReport.Matches(body)) return;
        _told.Clear();
        if (!DeviceReport.TryRead(body, link.Id, at, _told, out _)) return;
        foreach (var told in _told)
        {
            if (told is CommandOutcome outcome && link.TryTake(outcome, out var answer)) Finish(link, answer, at);
            else if (told is AttestationQuote sealedQuote
                && CakQuote.TryRead(sealedQuote.Quote, out var quote, out _, out _)) TakeQuote(link, quote!, at);
        }
    }

    /// <summary>
    /// A quote: what is asked for next begins behind it, campaigns that it completes are noted, and when the log has
    /// grown it gets a checkpoint.
    /// </summary>
    private void TakeQuote(HeadEndLink link, CakQuote quote, UnixTime at)
    {
        if (link.Take(quote.Nonce) is { Key.Length: > 0 } asked) EndOrder(asked.Key, true, "", at);
        var known = _known[link.Meter];
        var last = quote.FirstSeq + (uint)quote.Entries.Length - 1;
        if (quote.Entries.Length == 0 || last <= known.LastSeq) return;
        known.LastSeq = last;
        foreach (var campaign in _campaigns)
            if (campaign.Covers(link.Meter) && campaign.Runs(link.Meter, quote))
                _notes.Add(campaign.Member(link.Meter, link.Id, at));
        if (last - known.CheckpointSeq >= CheckpointEntries) Checkpoint(link, last, quote.Head, at);
    }

    private void Pump(HeadEndLink link, long nowMs)
    {
        var task = link.Pump(nowMs, _ended);
        if (task is not null)
            foreach (var request in task.Requests)
                _outgoing.Enqueue(new Outgoing(link.Meter, _desk.Frame(link.Id, request, task.Order), nowMs++,
                    task.IsRecovery));
        (HeadEndLink Link, HeadEndAnswer Answer)[] ended = [.. _ended];
        _ended.Clear();
        foreach (var (over, answer) in ended) Finish(over, answer, new UnixTime(nowMs / 1_000));
    }

    private void Finish(HeadEndLink link, HeadEndAnswer answer, UnixTime at)
    {
        if (!answer.InTime) Unanswered++;
        else if (answer.Outcome is { Result: CommandResult.Refused or CommandResult.Failed }) Refused++;
        if (answer.Task.Key.Length > 0) EndOrder(answer, at);
        if (answer.Task.Work is not (>= HeadEndWork.ImageInitiate and <= HeadEndWork.ImageActivate)) return;
        var campaign = _campaigns.Find(c => c.Name == answer.Task.Order);
        if (campaign is null || !campaign.Covers(link.Meter)) return;
        if (campaign.Take(link.Meter, answer, at)) _notes.Add(campaign.Member(link.Meter, link.Id, at));
        Advance(campaign, link.Meter, at);
    }

    /// <summary>Registers a roll-out: from now on the meters may take the image on.</summary>
    public void Start(Campaign campaign, UnixTime now)
    {
        _campaigns.Add(campaign);
        foreach (var meter in campaign.Meters) _notes.Add(campaign.Member(meter, _links[meter].Id, now));
    }

    private void Advance(Campaign campaign, int meter, UnixTime now)
    {
        if (now.Seconds < campaign.From.Seconds || now.Seconds >= campaign.To.Seconds || !campaign.Covers(meter)
            || !_links[meter].IsIdle) return;
        if (campaign.Next(meter) is { } task) _links[meter].TryAdd(task);
    }
}
