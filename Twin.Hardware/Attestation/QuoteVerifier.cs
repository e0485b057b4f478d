using Twin.Hardware.Crypto;

namespace Twin.Hardware.Attestation;

/// <summary>What is wrong with a quote or with the log that it shows. Numbers may be stored: never reuse one.</summary>
public enum ChainViolationKind : byte
{
    /// <summary>The bytes are no quote.</summary>
    Malformed = 1,
    /// <summary>The enrolled key did not sign it. Nothing else of it is looked at.</summary>
    BadSignature = 2,
    /// <summary>It names another signing key than the enrolled one (invariant I7).</summary>
    OtherKey = 3,
    /// <summary>The enrolled key signed it under another system title: one key in two meters.</summary>
    OtherMeter = 4,
    /// <summary>Not the nonce that was asked with (I6).</summary>
    StaleNonce = 5,
    /// <summary>Numbers of the entries do not follow one another (I2).</summary>
    SequenceGap = 6,
    /// <summary>The entries do not lead from the first head to the last (I1).</summary>
    BrokenChain = 7,
    /// <summary>The log goes on from another past than the accepted one (I1).</summary>
    Fork = 8,
    /// <summary>The log ends before what was accepted (I1).</summary>
    RolledBack = 9,
    /// <summary>Entries behind the accepted one are gone (I8).</summary>
    TruncatedBeyondCheckpoint = 10,
    /// <summary>A TRUNCATE entry names a checkpoint that was not issued (I8).</summary>
    UnknownCheckpoint = 11,
    /// <summary>A counter of the kernel is lower than before.</summary>
    CounterRegressed = 12,
}

/// <summary>
/// One violation; <paramref name="Seq"/> is the entry it shows at, 0 where it is the quote as a whole.
/// </summary>
public readonly record struct ChainViolation(ChainViolationKind Kind, uint Seq)
{
    public override string ToString() => Seq == 0 ? Kind.ToString() : $"{Kind} at #{Seq}";
}

/// <summary>How far a meter's log has been accepted: the twin's long memory, 36 bytes.</summary>
public readonly record struct ChainPosition(uint Seq, Digest Head);

/// <summary>What a verifier knows before it sees the quote.</summary>
public readonly record struct QuoteExpectation
{
    public required ulong SystemTitle { get; init; }

    /// <summary>The nonce of the challenge; null: none was issued, so freshness is not judged.</summary>
    public UInt128? Nonce { get; init; }

    /// <summary>
    /// What was accepted before; null: the meter is first seen in service, and what it shows is taken on trust.
    /// </summary>
    public ChainPosition? Accepted { get; init; }

    /// <summary>The last checkpoint that was issued, if any.</summary>
    public ChainPosition? Checkpoint { get; init; }
}

/// <summary>
/// What came of a quote. <see cref="Next"/> is the position to accept: the end of the entries shown when nothing is
/// wrong with the chain, else where it was. Null only when nothing was or is accepted.
/// </summary>
public sealed record QuoteVerdict(CakQuote? Quote, SignatureVerdict Signature, IReadOnlyList<ChainViolation> Violations,
    ChainPosition? Next, string Reason)
{
    public bool IsClean => Violations.Count == 0;
    public bool Has(ChainViolationKind kind) => Violations.Any(v => v.Kind == kind);
}

/// <summary>Judges quotes: pure functions of the bytes and of what was accepted before.</summary>
public static class QuoteVerifier
{
    /// <summary>Signature by the enrolled key, then everything that <see cref="Judge"/> looks at.</summary>
    public static QuoteVerdict Verify(ReadOnlySpan<byte> bytes, EcPublicKey enrolled, in QuoteExpectation expected) =>
        Verify(bytes, enrolled, null, expected);

    /// <inheritdoc cref="Verify(ReadOnlySpan{byte}, EcPublicKey, in QuoteExpectation)"/>
    /// <param name="keys">Imported keys to take the enrolled one from; it saves 40 % of the time.</param>
    public static QuoteVerdict Verify(ReadOnlySpan<byte> bytes, EcPublicKey enrolled, ImportedKeys? keys,
        in QuoteExpectation expected)
    {
        if (!CakQuote.TryRead(bytes, out var quote, out var signedLength, out var reason))
            return new(null, SignatureVerdict.Malformed, [new(ChainViolationKind.Malformed, 0)], expected.Accepted,
                reason);
        var digest = enrolled.Curve.Digest(bytes[..signedLength]);
        var signature = bytes[signedLength..];
        var signed = keys?.Verify(enrolled, digest, signature) ?? enrolled.Verify(digest, signature);
        var violations = new List<ChainViolation>();
        if (quote!.KeyFingerprint != enrolled.KeyId()) violations.Add(new(ChainViolationKind.OtherKey, 0));
        if (!signed) violations.Add(new(ChainViolationKind.BadSignature, 0));
        if (!signed) return new(quote, SignatureVerdict.Invalid, violations, expected.Accepted, "");
        var next = Judge(quote, expected, violations);
        return new(quote, SignatureVerdict.Valid, violations, next, "");
    }

    /// <summary>
    /// Judges an authentic quote: identity, nonce, the chain within it and how it joins what was accepted. Adds what is
    /// wrong, and gives the position to accept.
    /// </summary>
    public static ChainPosition? Judge(CakQuote quote, in QuoteExpectation expected, List<ChainViolation> violations)
    {
        if (quote.SystemTitle != expected.SystemTitle) violations.Add(new(ChainViolationKind.OtherMeter, 0));
        if (expected.Nonce is { } nonce && quote.Nonce != nonce) violations.Add(new(ChainViolationKind.StaleNonce, 0));
        var before = violations.Count;
        Inside(quote, violations);
        if (expected.Accepted is { } accepted) Joins(quote, accepted, violations);
        Checkpoints(quote, expected.Checkpoint, violations);
        if (violations.Count > before || quote.SystemTitle != expected.SystemTitle) return expected.Accepted;
        var end = new ChainPosition(EndOf(quote), quote.Head);
        return expected.Accepted is { } old && old.Seq >= end.Seq ? old : end;
    }

    private static uint EndOf(CakQuote quote) => unchecked(quote.FirstSeq - 1 + (uint)quote.Entries.Length);

    /// <summary>Numbers, heads and counters within the quote.</summary>
    private static void Inside(CakQuote quote, List<ChainViolation> violations)
    {
        var head = quote.BaseHead;
        var counters = quote.Entries.Length > 0 ? quote.Entries[0].Counters : quote.Counters;
        for (var i = 0; i < quote.Entries.Length; i++)
        {
            ref readonly var entry = ref quote.Entries[i];
            if (entry.Seq != unchecked(quote.FirstSeq + (uint)i))
            {
                violations.Add(new(ChainViolationKind.SequenceGap, entry.Seq));
                return;
            }
            if (IsLower(entry.Counters, counters)) violations.Add(new(ChainViolationKind.CounterRegressed, entry.Seq));
            counters = entry.Counters;
            head = entry.HeadAfter(head);
        }
        if (quote.FirstSeq == 0 || EndOf(quote) > quote.LastSeq)
            violations.Add(new(ChainViolationKind.SequenceGap, quote.LastSeq));
        if (EndOf(quote) == quote.LastSeq && IsLower(quote.Counters, counters))
            violations.Add(new(ChainViolationKind.CounterRegressed, quote.LastSeq));
        if (head != quote.Head) violations.Add(new(ChainViolationKind.BrokenChain, EndOf(quote)));
    }

    /// <summary>The log must go through the accepted position.</summary>
    private static void Joins(CakQuote quote, ChainPosition accepted, List<ChainViolation> violations)
    {
        if (quote.LastSeq < accepted.Seq)
        {
            violations.Add(new(ChainViolationKind.RolledBack, quote.LastSeq));
            return;
        }
        if (quote.FirstSeq > accepted.Seq + 1UL)
        {
            violations.Add(new(ChainViolationKind.TruncatedBeyondCheckpoint, quote.FirstSeq));
            return;
        }
        if (accepted.Seq > EndOf(quote)) return;
        var head = quote.BaseHead;
        for (var i = 0; i < quote.Entries.Length && quote.FirstSeq + (uint)i <= accepted.Seq; i++)
            head = quote.Entries[i].HeadAfter(head);
        if (head != accepted.Head) violations.Add(new(ChainViolationKind.Fork, accepted.Seq));
    }

    /// <summary>
    /// A truncation names the checkpoint it went to: its number as version, its head as image. Checkpoints before the
    /// last one issued are no longer known and are let pass: the twin has accepted what lies before them anyway.
    /// </summary>
    private static void Checkpoints(CakQuote quote, ChainPosition? issued, List<ChainViolation> violations)
    {
        foreach (var entry in quote.Entries)
        {
            if (entry.Kind != CakEntryKind.Truncate) continue;
            var known = issued is { } point
                && (entry.Version < point.Seq || entry.Version == point.Seq && entry.Image == point.Head);
            if (!known) violations.Add(new(ChainViolationKind.UnknownCheckpoint, entry.Seq));
        }
    }

    private static bool IsLower(in CakCounters now, in CakCounters before) => now.Boots < before.Boots
        || now.PowerFailures < before.PowerFailures || now.Watchdogs < before.Watchdogs
        || now.Activations < before.Activations || now.Commanded < before.Commanded || now.Crashes < before.Crashes;
}
