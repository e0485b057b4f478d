using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains.Concentrators;

/// <summary>
/// Key, challenges, log and images of a concentrator itself: what its quotes must agree with. The first valid quote is
/// the baseline: it is accepted on trust.
/// </summary>
internal sealed class ConcentratorSecurity
{
    /// <summary>Challenges without answer that are kept; at the bound the oldest is forgotten.</summary>
    public const int MaxNonces = 8;

    /// <summary>Letters kept until the next sweep; at the bound the oldest is dropped.</summary>
    public const int MaxLetters = 32;

    /// <summary>Faulty frames of one kind within a day that are more than noise.</summary>
    private const int FaultsPerDay = 20;
    private const int MaxPublicKey = 96;
    private const string Detector = "concentrator_attestation";
    private const byte EncodingVersion = 1;

    private byte[] _publicKey = [];
    private readonly List<UInt128> _nonces = [];
    private readonly PartState[] _parts = new PartState[CakQuote.Parts];
    private Digest _head, _lastQuote;
    private long _seq;
    private bool _isBaselined;
    private int _faultDay, _tagFaults, _otherFaults;
    private readonly List<FleetLetter> _letters = [];

    public bool HasLetters => _letters.Count > 0;
    public bool IsBaselined => _isBaselined;
    public PartState[] Parts => _parts;

    /// <summary>How the signature fares under the enrolled key; decided at the door, journalled with the quote.
    /// </summary>
    public SignatureVerdict Verify(ReadOnlySpan<byte> quote)
    {
        if (!CakQuote.TryRead(quote, out _, out var signed, out _)) return SignatureVerdict.Malformed;
        if (_publicKey.Length == 0) return SignatureVerdict.NoKey;
        return CakQuote.IsSignedBy(quote, signed, _publicKey) ? SignatureVerdict.Valid : SignatureVerdict.Invalid;
    }

    /// <summary>True when these bytes were the last quote: told twice.</summary>
    public bool IsLast(ReadOnlySpan<byte> quote) => Digest.Of(quote) == _lastQuote;

    public void Apply(NonceIssued issued)
    {
        _nonces.Add(issued.Nonce);
        if (_nonces.Count > MaxNonces) _nonces.RemoveAt(0);
    }

    public void Apply(KeyEvent e, in Party self, IFindingSink sink)
    {
        if (e.Slot == KeySlot.DeviceSigning && e.PublicKey.Length > 0
            && e.Change is KeyEventKind.Enrolled or KeyEventKind.CertificateRenewed) _publicKey = e.PublicKey;
        if (e.PublicKey.Length > 0)
            Post(new FleetLetter(FleetLetterKind.KeySeen, e.At, CakQuote.FingerprintOf(e.PublicKey), (byte)e.Slot, 0,
                true, self.Name, ""));
        if (e.Change == KeyEventKind.Compromised)
            State(self, FindingKind.KeyCompromised, e.At, Severity.High, 0.9, "T0859",
                $"The key {e.Slot} of concentrator {self.Name} is compromised.",
                new Evidence("compromised", 1, 0, 1, ""), sink);
        if (e.Change == KeyEventKind.CertificateUntrusted)
            State(self, FindingKind.UntrustedCertificate, e.At, Severity.High, 0.9, "T0848",
                $"The certificate of key {e.Slot} of concentrator {self.Name} does not lead to a trusted authority.",
                new Evidence("untrusted", 1, 0, 1, ""), sink);
    }

    public void Apply(FrameFault fault, in Party self, IFindingSink sink)
    {
        var day = (int)Math.DivRem(fault.At.Seconds, 86_400).Quotient;
        if (day != _faultDay) (_faultDay, _tagFaults, _otherFaults) = (day, 0, 0);
        var isTag = fault.Fault is FrameFaultKind.TagFailed or FrameFaultKind.SignatureFailed
            or FrameFaultKind.UnknownKey;
        ref var count = ref isTag ? ref _tagFaults : ref _otherFaults;
        if (++count != FaultsPerDay) return;
        var (kind, what, technique) = isTag
            ? (FindingKind.AuthenticationFailures, "fail their check", "T0830")
            : (FindingKind.MalformedFrames, "cannot be read", "T0814");
        State(self, kind, fault.At, Severity.Medium, 0.7, technique,
            $"{FaultsPerDay} frames of concentrator {self.Name} {what} on {LocalDay.FormatDate(day)}; the last: "
                + fault.Reason, new Evidence("faults_in_day", FaultsPerDay, 0, 1, ""), sink);
    }

    public void Apply(AttestationQuote input, in Party self, IFindingSink sink)
    {
        _lastQuote = Digest.Of(input.Quote);
        if (input.Verdict == SignatureVerdict.Invalid)
            State(self, FindingKind.WrongKey, input.At, Severity.High, 0.9, "T0849",
                $"A quote in the name of concentrator {self.Name} is not signed by its key.",
                new Evidence("signature_valid", 0, 1, 1, ""), sink);
        if (input.Verdict != SignatureVerdict.Valid
            || !CakQuote.TryRead(input.Quote, out var quote, out var signed, out _)) return;
        if (!_nonces.Remove(quote!.Nonce))
        {
            State(self, FindingKind.StaleNonce, input.At, Severity.Medium, 0.7, "T0856",
                $"Concentrator {self.Name} answers a challenge that is not open: an old quote was sent again.",
                new Evidence("nonce_open", 0, 1, 1, ""), sink);
            return;
        }
        Post(new FleetLetter(FleetLetterKind.SignatureSeen, input.At, Digest.Read(Padded(input.Quote, signed)).Short,
            0, quote.KeyFingerprint, false, self.Name, Digest.Of(input.Quote.AsSpan(0, signed)).ToString()[..16]));
        CheckLog(quote, input.At, self, sink);
        CheckParts(quote, input.At, self, sink);
        (_seq, _head, _isBaselined) = (quote.FirstSeq + (long)quote.Entries.Length - 1, quote.Head, true);
    }

    /// <summary>The signature (r ‖ s) is at least 64 bytes; r comes first.</summary>
    private static ReadOnlySpan<byte> Padded(byte[] quote, int signed) => quote.AsSpan(signed, Digest.Size);

    private void CheckLog(CakQuote quote, UnixTime at, in Party self, IFindingSink sink)
    {
        var head = quote.BaseHead;
        foreach (var entry in quote.Entries) head = entry.HeadAfter(head);
        var holds = head == quote.Head && (!_isBaselined || quote.FirstSeq != _seq + 1 || quote.BaseHead == _head);
        if (!holds)
            State(self, FindingKind.ChainBroken, at, Severity.Critical, 0.95, "T0872",
                $"The log of concentrator {self.Name} does not follow from what was attested before.",
                new Evidence("chain_holds", 0, 1, 1, ""), sink);
        if (_isBaselined && quote.FirstSeq > _seq + 1)
            State(self, FindingKind.SequenceGap, at, Severity.High, 0.9, "T0872",
                $"Entries {_seq + 1} to {quote.FirstSeq - 1} of the log of concentrator {self.Name} are missing.",
                new Evidence("entries_missing", quote.FirstSeq - _seq - 1, 0, 1, ""), sink);
    }

    private void CheckParts(CakQuote quote, UnixTime at, in Party self, IFindingSink sink)
    {
        for (var i = 0; i < CakQuote.Parts; i++)
        {
            var (was, now, part) = (_parts[i], quote.State[i], (FirmwarePart)(i + 1));
            _parts[i] = now;
            if (now.Image.IsNone || now.Image == was.Image) continue;
            Post(new FleetLetter(FleetLetterKind.ImageSeen, at, now.Image.Short, (byte)part, now.Version,
                !_isBaselined, self.Name, ConcentratorTwin.ReleaseModel));
            if (!_isBaselined) continue;
            if (now.SecurityVersion < was.SecurityVersion || now.Version < was.Version)
                State(self, FindingKind.Downgrade, at, Severity.High, 0.9, "T0857",
                    $"Concentrator {self.Name} went back from version {was.Version} of its {part} to {now.Version}.",
                    new Evidence("version", now.Version, was.Version, 1, ""), sink);
            var isLogged = quote.Entries.Any(e => e.Part == part && e.Image == now.Image
                && e.Kind is CakEntryKind.Upgrade or CakEntryKind.Rollback or CakEntryKind.Config);
            if (!isLogged && quote.FirstSeq <= _seq + 1)
                State(self, FindingKind.UnauthorisedUpgrade, at, Severity.High, 0.9, "T0857",
                    $"The {part} of concentrator {self.Name} changed without an entry in its log.",
                    new Evidence("logged", 0, 1, 1, ""), sink);
        }
    }

    private static void State(in Party self, FindingKind kind, UnixTime at, Severity severity, double confidence,
        string technique, string sentence, Evidence evidence, IFindingSink sink) =>
        sink.Add(new Finding(self.Key, self.Name, kind, at, at, at, (double)severity, severity, confidence, Detector,
            1, technique, sentence, [evidence], []));

    private void Post(in FleetLetter letter)
    {
        _letters.Add(letter);
        if (_letters.Count > MaxLetters) _letters.RemoveAt(0);
    }

    /// <summary>At a sweep: sends what waits.</summary>
    public void SendLetters(IOutbox outbox)
    {
        var body = Scratch.Mine.Bytes;
        foreach (var letter in _letters)
        {
            body.Clear();
            letter.Write(body);
            outbox.Send(letter.To, body.Written);
        }
        _letters.Clear();
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.Blob(_publicKey);
        to.VarUInt((ulong)_nonces.Count);
        foreach (var nonce in _nonces)
        {
            to.UInt64((ulong)(nonce >> 64));
            to.UInt64(unchecked((ulong)nonce));
        }
        to.Bool(_isBaselined);
        foreach (var part in _parts)
        {
            WriteDigest(to, part.Image);
            to.VarUInt(part.Version);
            to.UInt16(part.SecurityVersion);
        }
        WriteDigest(to, _head);
        WriteDigest(to, _lastQuote);
        to.VarInt(_seq);
        to.VarInt(_faultDay);
        to.VarUInt((ulong)_tagFaults);
        to.VarUInt((ulong)_otherFaults);
        to.VarUInt((ulong)_letters.Count);
        foreach (var letter in _letters) letter.Write(to);
    }

    private static void WriteDigest(ByteWriter to, in Digest digest)
    {
        Span<byte> bytes = stackalloc byte[Digest.Size];
        digest.Write(bytes);
        to.Bytes(bytes);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static ConcentratorSecurity Read(ref ByteReader r)
    {
        var version = r.Byte();
        if (version != EncodingVersion)
            throw r.Bad($"a concentrator's security has version {version}, this MeterTwin knows {EncodingVersion}");
        var s = new ConcentratorSecurity { _publicKey = r.Blob().ToArray() };
        if (s._publicKey.Length > MaxPublicKey) throw r.Bad("a public key is too long");
        var nonces = r.Count(MaxNonces);
        for (var i = 0; i < nonces; i++) s._nonces.Add(new UInt128(r.UInt64(), r.UInt64()));
        s._isBaselined = r.Bool();
        for (var i = 0; i < CakQuote.Parts; i++)
            s._parts[i] = new PartState(Digest.Read(r.Bytes(Digest.Size)), ReadUInt32(ref r), r.UInt16());
        (s._head, s._lastQuote) = (Digest.Read(r.Bytes(Digest.Size)), Digest.Read(r.Bytes(Digest.Size)));
        (s._seq, s._faultDay) = (r.VarInt(), r.Int());
        if (s._seq is < -1 or > 2L * uint.MaxValue) throw r.Bad("a sequence number is none");
        (s._tagFaults, s._otherFaults) = (r.Count(int.MaxValue - 1), r.Count(int.MaxValue - 1));
        var letters = r.Count(MaxLetters);
        for (var i = 0; i < letters; i++) s._letters.Add(FleetLetter.Read(ref r));
        return s;
    }

    private static uint ReadUInt32(ref ByteReader r) => r.VarUInt() is <= uint.MaxValue and var v ? (uint)v
        : throw r.Bad("a number is over 32 bits");
}
