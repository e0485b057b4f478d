using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Silo.Attacks;

/// <summary>One thing that cryptography can check, and how often it held.</summary>
public sealed record CryptographicCheck(string Name, int Held, int Broken);

/// <summary>
/// What cryptography alone says of meters: computed again from their journalled inputs, signature by signature, without
/// any twin's opinion. The left column of <c>attack show</c>.
/// </summary>
public sealed class CryptographicChecks(IReadOnlyCollection<Release> releases)
{
    private readonly HashSet<Digest> _released = [.. releases.Select(r => r.Image)];
    private readonly Tally _signed = new("quotes are signed by the enrolled key"),
        _fresh = new("quotes answer a challenge, once"), _chained = new("the log's hash chain holds"),
        _approved = new("images that ran are registered releases"),
        _campaigned = new("upgrades belong to a campaign"), _tagged = new("frames are authenticated"),
        _counted = new("no frame counter protects two contents"), _logins = new("sessions are authenticated");

    public IReadOnlyList<CryptographicCheck> Rows =>
    [
        .. ((Tally[])[_signed, _fresh, _chained, _approved, _campaigned, _tagged, _counted, _logins])
            .Select(t => new CryptographicCheck(t.Name, t.Held, t.Broken)),
    ];

    public bool AllHold => Rows.All(r => r.Broken == 0);

    /// <summary>Checks one meter: its inputs in journal order.</summary>
    public void Check(IEnumerable<Input> ofMeter)
    {
        var meter = new Seen();
        foreach (var input in ofMeter)
        {
            switch (input)
            {
                case KeyEvent { Slot: KeySlot.DeviceSigning, PublicKey.Length: > 0 } key:
                    meter.Key = key.PublicKey;
                    break;
                case NonceIssued nonce:
                    meter.Nonces.Add(nonce.Nonce);
                    break;
                case CampaignMember member:
                    meter.Campaigns.Add(member.Image);
                    break;
                case AttestationQuote quote:
                    Quote(meter, quote.Quote);
                    break;
                case FrameReceived frame:
                    _tagged.Count(true);
                    _counted.Count(meter.IsNew(frame));
                    break;
                case FrameFault fault:
                    _tagged.Count(fault.Fault is not (FrameFaultKind.TagFailed or FrameFaultKind.SignatureFailed
                        or FrameFaultKind.Unprotected or FrameFaultKind.UnknownKey));
                    break;
                case Session session:
                    _logins.Count(session.Succeeded && session.Mechanism > 0);
                    break;
                default: break;
            }
        }
    }

    private void Quote(Seen meter, byte[] bytes)
    {
        var read = CakQuote.TryRead(bytes, out var quote, out var signed, out _);
        var genuine = read && meter.Key is not null && CakQuote.IsSignedBy(bytes, signed, meter.Key);
        _signed.Count(genuine);
        if (!genuine) return;
        _fresh.Count(meter.Nonces.Remove(quote!.Nonce));
        _chained.Count(meter.Follows(quote));
        foreach (var entry in quote.Entries)
        {
            if (!IsFirmware(entry.Part) || entry.Image.IsNone || entry.Kind == CakEntryKind.Refused) continue;
            _approved.Count(_released.Contains(entry.Image));
            if (entry.Kind == CakEntryKind.Upgrade) _campaigned.Count(meter.Campaigns.Contains(entry.Image));
        }
        foreach (var part in (ReadOnlySpan<FirmwarePart>)[FirmwarePart.Application, FirmwarePart.Metrology])
            if (!quote.Of(part).Image.IsNone) _approved.Count(_released.Contains(quote.Of(part).Image));
    }

    private static bool IsFirmware(FirmwarePart part) =>
        part is FirmwarePart.Application or FirmwarePart.Metrology or FirmwarePart.Cak;

    private sealed class Tally(string name)
    {
        public string Name => name;
        public int Held { get; private set; }
        public int Broken { get; private set; }

        public void Count(bool held)
        {
            if (held) Held++;
            else Broken++;
        }
    }

    /// <summary>What is known of one meter so far. It grows with the run of one attack and is gone with it.</summary>
    private sealed class Seen
    {
        private readonly Dictionary<(KeySlot, FrameDirection, uint), ulong> _counters = [];
        private readonly Dictionary<uint, Digest> _heads = [];

        public byte[]? Key { get; set; }
        public HashSet<UInt128> Nonces { get; } = [];
        public HashSet<Digest> Campaigns { get; } = [];

        public bool IsNew(FrameReceived frame) =>
            _counters.TryAdd((frame.Key, frame.Direction, frame.Counter), frame.BytesDigest)
            || _counters[(frame.Key, frame.Direction, frame.Counter)] == frame.BytesDigest;

        /// <summary>The entries lead from head to head, and no head differs from one that was seen before.</summary>
        public bool Follows(CakQuote quote)
        {
            var (head, seq, sound) = (quote.BaseHead, quote.FirstSeq - 1, true);
            sound &= Keep(seq, head);
            foreach (var entry in quote.Entries)
            {
                sound &= entry.Seq == seq + 1;
                (head, seq) = (entry.HeadAfter(head), entry.Seq);
                sound &= Keep(seq, head);
            }
            return sound && (quote.Entries.Length == 0 || head == quote.Head);
        }

        private bool Keep(uint seq, in Digest head) => _heads.TryAdd(seq, head) || _heads[seq] == head;
    }
}
