using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Twin.Hardware.Attestation;

// The log of the cumulative attestation kernel as it goes over the wire. After the idea of LeMay and Gunter (ESORICS
// 2009): a history of what ran, not only what runs now. The layout is MeterTwin's own. Integers are big-endian.

/// <summary>What an entry records. Numbers are in flash for decades: never reuse one.</summary>
public enum CakEntryKind : byte
{
    Boot = 1, Upgrade = 2, Rollback = 3, AppCrash = 4, Config = 5, KeyChange = 6, Tamper = 7, Truncate = 8,
    /// <summary>The bootloader refused an image; its digest is in the entry.</summary>
    Refused = 9,
    /// <summary>An association at the optical port that wrote something.</summary>
    LocalSession = 10,
    /// <summary>A step of the life cycle; <see cref="CakEntry.Detail"/> is the new <see cref="LifeCycle"/>.</summary>
    LifeCycle = 11,
}

/// <summary>The attested parts of a meter, each with a lineage of its own.</summary>
public enum FirmwarePart : byte
{
    Device = 0, Bootloader = 1, Application = 2, Metrology = 3, Cak = 4, Calibration = 5, ReactionTable = 6,
}

/// <summary>
/// Details of an entry of <see cref="CakEntryKind.Refused"/> that say of signatures why; the other numbers are those of
/// the bootloader.
/// </summary>
public static class RefusalDetail
{
    /// <summary>A signature is missing that earlier images of the part had: a downgrade.</summary>
    public const ushort StrippedSignature = 10;

    /// <summary>The list of signatures is damaged, or of a format that the bootloader does not know.</summary>
    public const ushort UnreadableSignatures = 11;

    /// <summary>The device requires more signatures than there are.</summary>
    public const ushort TooFewSignatures = 12;
}

/// <summary>Why a meter booted.</summary>
public enum BootCause : byte { None = 0, PowerFailure = 1, Watchdog = 2, Activation = 3, Commanded = 4 }

/// <summary>Stages of a meter's life, from blank silicon to retirement.</summary>
public enum LifeCycle : byte
{
    Blank = 0, ChipVetted = 1, Manufactured = 2, Provisioned = 3, Calibrated = 4, Locked = 5, Installed = 6,
    Operating = 7, Retired = 8,
}

/// <summary>
/// Counters kept by the kernel, never reset. Invariant of an honest meter: boots are the sum of their causes, within
/// what lost entries explain.
/// </summary>
public readonly record struct CakCounters(uint Boots, uint PowerFailures, ushort Watchdogs, ushort Activations,
    ushort Commanded, ushort Crashes)
{
    public long Explained => (long)PowerFailures + Watchdogs + Activations + Commanded;
}

/// <summary>
/// One entry of the log, 72 bytes. <paramref name="Image"/> is the digest of the part after the event.
/// <paramref name="MeterTime"/>: seconds since 1970 by the meter's own clock, 0 to 2^32−1. <paramref name="Uptime"/>:
/// seconds since boot.
/// </summary>
public readonly record struct CakEntry(uint Seq, CakEntryKind Kind, FirmwarePart Part, byte Slot, BootCause Cause,
    Digest Image, uint Version, ushort SecurityVersion, ushort Detail, uint MeterTime, uint Uptime,
    CakCounters Counters)
{
    public const int Size = 72;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, Seq);
        (to[4], to[5], to[6], to[7]) = ((byte)Kind, (byte)Part, Slot, (byte)Cause);
        Image.Write(to[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(to[40..], Version);
        BinaryPrimitives.WriteUInt16BigEndian(to[44..], SecurityVersion);
        BinaryPrimitives.WriteUInt16BigEndian(to[46..], Detail);
        BinaryPrimitives.WriteUInt32BigEndian(to[48..], MeterTime);
        BinaryPrimitives.WriteUInt32BigEndian(to[52..], Uptime);
        BinaryPrimitives.WriteUInt32BigEndian(to[56..], Counters.Boots);
        BinaryPrimitives.WriteUInt32BigEndian(to[60..], Counters.PowerFailures);
        BinaryPrimitives.WriteUInt16BigEndian(to[64..], Counters.Watchdogs);
        BinaryPrimitives.WriteUInt16BigEndian(to[66..], Counters.Activations);
        BinaryPrimitives.WriteUInt16BigEndian(to[68..], Counters.Commanded);
        BinaryPrimitives.WriteUInt16BigEndian(to[70..], Counters.Crashes);
    }

    /// <summary>False when the bytes are no entry: too few, or a number that no entry has.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out CakEntry entry)
    {
        entry = default;
        if (from.Length < Size) return false;
        if (!Enum.IsDefined((CakEntryKind)from[4]) || !Enum.IsDefined((FirmwarePart)from[5])
            || !Enum.IsDefined((BootCause)from[7])) return false;
        entry = new CakEntry(BinaryPrimitives.ReadUInt32BigEndian(from), (CakEntryKind)from[4], (FirmwarePart)from[5],
            from[6], (BootCause)from[7], Digest.Read(from[8..]), BinaryPrimitives.ReadUInt32BigEndian(from[40..]),
            BinaryPrimitives.ReadUInt16BigEndian(from[44..]), BinaryPrimitives.ReadUInt16BigEndian(from[46..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[48..]), BinaryPrimitives.ReadUInt32BigEndian(from[52..]),
            new CakCounters(BinaryPrimitives.ReadUInt32BigEndian(from[56..]),
                BinaryPrimitives.ReadUInt32BigEndian(from[60..]), BinaryPrimitives.ReadUInt16BigEndian(from[64..]),
                BinaryPrimitives.ReadUInt16BigEndian(from[66..]), BinaryPrimitives.ReadUInt16BigEndian(from[68..]),
                BinaryPrimitives.ReadUInt16BigEndian(from[70..])));
        return true;
    }

    /// <summary>The head of the log with this entry: SHA-256(head before ‖ entry).</summary>
    public Digest HeadAfter(Digest before)
    {
        Span<byte> bytes = stackalloc byte[Digest.Size + Size];
        before.Write(bytes);
        Write(bytes[Digest.Size..]);
        return Digest.Of(bytes);
    }

    /// <summary>One line for a person.</summary>
    public string Describe() =>
        $"#{Seq} {Kind} {Part}" + (Cause != BootCause.None ? $" after {Cause}" : "")
        + (Image.IsNone ? "" : $" image {Image.ToString()[..12]}") + (Version != 0 ? $" version {Version}" : "");
}

/// <summary>What one part is now.</summary>
public readonly record struct PartState(Digest Image, uint Version, ushort SecurityVersion);

/// <summary>
/// State of the supply contactor as attested: class 70 control state and mode, and the output itself.
/// </summary>
public readonly record struct SwitchState(bool Output, byte ControlState, byte ControlMode);

/// <summary>
/// A signed answer to a challenge: the entries since <see cref="FirstSeq"/>, and what the meter is now.
/// <see cref="BaseHead"/> is the head before the first entry; <see cref="Head"/> after the last. Parts are in the order
/// bootloader, application, metrology, CAK, calibration, reaction table. <see cref="ChangedPages"/> counts flash pages
/// whose digest differs from the signed image, <see cref="FirstChangedPage"/> names the first.
/// </summary>
public sealed record CakQuote
{
    public const byte EncodingVersion = 1;

    /// <summary>Most entries of one quote; the rest comes with the next.</summary>
    public const int MaxEntries = 100;
    public const int Parts = 6;
    public const int NonceSize = 16;

    public required ulong SystemTitle { get; init; }
    public required UInt128 Nonce { get; init; }
    public required uint FirstSeq { get; init; }
    public required Digest BaseHead { get; init; }
    public required CakEntry[] Entries { get; init; }
    public required Digest Head { get; init; }

    /// <summary>Sequence number of the last entry in the log, in this quote or not; 0 before the first.</summary>
    public required uint LastSeq { get; init; }
    public required PartState[] State { get; init; }
    public required CakCounters Counters { get; init; }
    public required SwitchState Switch { get; init; }
    public required LifeCycle LifeCycle { get; init; }
    public required uint MeterTime { get; init; }
    public ushort ChangedPages { get; init; }
    public ushort FirstChangedPage { get; init; }

    /// <summary>Entries that a full log could not take and only counted.</summary>
    public ushort Unrecorded { get; init; }

    /// <summary>The signing key's fingerprint: first 8 bytes of the SHA-256 of the public key (X ‖ Y).</summary>
    public required ulong KeyFingerprint { get; init; }

    public PartState Of(FirmwarePart part) => State[(int)part - 1];

    private const int Fixed = 1 + 8 + 16 + 4 + 32 + 32 + 4 + Parts * 38 + 16 + 3 + 1 + 4 + 6 + 8 + 1;

    /// <summary>The bytes that the signature covers.</summary>
    public byte[] ToSign()
    {
        if (Entries.Length > MaxEntries || State.Length != Parts)
            throw new InvalidOperationException(
                $"A quote holds at most {MaxEntries} entries and the state of {Parts} parts.");
        var bytes = new byte[Fixed + Entries.Length * CakEntry.Size];
        var w = bytes.AsSpan();
        w[0] = EncodingVersion;
        BinaryPrimitives.WriteUInt64BigEndian(w[1..], SystemTitle);
        BinaryPrimitives.WriteUInt128BigEndian(w[9..], Nonce);
        BinaryPrimitives.WriteUInt32BigEndian(w[25..], FirstSeq);
        BaseHead.Write(w[29..]);
        Head.Write(w[61..]);
        BinaryPrimitives.WriteUInt32BigEndian(w[93..], LastSeq);
        w = w[97..];
        foreach (var part in State)
        {
            part.Image.Write(w);
            BinaryPrimitives.WriteUInt32BigEndian(w[32..], part.Version);
            BinaryPrimitives.WriteUInt16BigEndian(w[36..], part.SecurityVersion);
            w = w[38..];
        }
        BinaryPrimitives.WriteUInt32BigEndian(w, Counters.Boots);
        BinaryPrimitives.WriteUInt32BigEndian(w[4..], Counters.PowerFailures);
        BinaryPrimitives.WriteUInt16BigEndian(w[8..], Counters.Watchdogs);
        BinaryPrimitives.WriteUInt16BigEndian(w[10..], Counters.Activations);
        BinaryPrimitives.WriteUInt16BigEndian(w[12..], Counters.Commanded);
        BinaryPrimitives.WriteUInt16BigEndian(w[14..], Counters.Crashes);
        (w[16], w[17], w[18], w[19]) = (Switch.Output ? (byte)1 : (byte)0, Switch.ControlState, Switch.ControlMode,
            (byte)LifeCycle);
        BinaryPrimitives.WriteUInt32BigEndian(w[20..], MeterTime);
        BinaryPrimitives.WriteUInt16BigEndian(w[24..], ChangedPages);
        BinaryPrimitives.WriteUInt16BigEndian(w[26..], FirstChangedPage);
        BinaryPrimitives.WriteUInt16BigEndian(w[28..], Unrecorded);
        BinaryPrimitives.WriteUInt64BigEndian(w[30..], KeyFingerprint);
        w[38] = (byte)Entries.Length;
        w = w[39..];
        foreach (var entry in Entries)
        {
            entry.Write(w);
            w = w[CakEntry.Size..];
        }
        return bytes;
    }

    /// <summary>The quote with its signature (r ‖ s) behind it.</summary>
    public static byte[] WithSignature(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature) =>
        [.. signed, .. signature];

    /// <summary>
    /// Reads a quote; what is behind the signed bytes is the signature. False with a reason when it is none.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out CakQuote? quote, out int signedLength, out string reason)
    {
        (quote, signedLength) = (null, 0);
        if (bytes.Length < Fixed)
            return Fail($"a quote has at least {Fixed} bytes, this one {bytes.Length}", out reason);
        if (bytes[0] != EncodingVersion)
            return Fail($"the quote has encoding version {bytes[0]}, this MeterTwin knows {EncodingVersion}",
                out reason);
        var count = bytes[Fixed - 1];
        signedLength = Fixed + count * CakEntry.Size;
        if (count > MaxEntries || bytes.Length < signedLength)
            return Fail($"the quote says {count} entries and has no room for them", out reason);
        // Entries count from 1, and the log ends with the last number of 32 bits: beyond there is no position.
        var firstSeq = BinaryPrimitives.ReadUInt32BigEndian(bytes[25..]);
        if (firstSeq == 0 || firstSeq - 1L + count > uint.MaxValue)
            return Fail($"the quote's {count} entries from #{firstSeq} on are no part of a log", out reason);
        var entries = new CakEntry[count];
        for (var i = 0; i < count; i++)
            if (!CakEntry.TryRead(bytes[(Fixed + i * CakEntry.Size)..], out entries[i]))
                return Fail($"entry {i} of the quote is none", out reason);
        var state = new PartState[Parts];
        for (var i = 0; i < Parts; i++)
        {
            var s = bytes[(97 + 38 * i)..];
            state[i] = new PartState(Digest.Read(s), BinaryPrimitives.ReadUInt32BigEndian(s[32..]),
                BinaryPrimitives.ReadUInt16BigEndian(s[36..]));
        }
        var w = bytes[(97 + 38 * Parts)..];
        if (w[16] > 1 || !Enum.IsDefined((LifeCycle)w[19])) return Fail("the quote's switch or life cycle is none",
            out reason);
        quote = new CakQuote
        {
            SystemTitle = BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]),
            Nonce = BinaryPrimitives.ReadUInt128BigEndian(bytes[9..]),
            FirstSeq = firstSeq,
            BaseHead = Digest.Read(bytes[29..]), Head = Digest.Read(bytes[61..]),
            LastSeq = BinaryPrimitives.ReadUInt32BigEndian(bytes[93..]), State = state, Entries = entries,
            Counters = new CakCounters(BinaryPrimitives.ReadUInt32BigEndian(w),
                BinaryPrimitives.ReadUInt32BigEndian(w[4..]), BinaryPrimitives.ReadUInt16BigEndian(w[8..]),
                BinaryPrimitives.ReadUInt16BigEndian(w[10..]), BinaryPrimitives.ReadUInt16BigEndian(w[12..]),
                BinaryPrimitives.ReadUInt16BigEndian(w[14..])),
            Switch = new SwitchState(w[16] == 1, w[17], w[18]), LifeCycle = (LifeCycle)w[19],
            MeterTime = BinaryPrimitives.ReadUInt32BigEndian(w[20..]),
            ChangedPages = BinaryPrimitives.ReadUInt16BigEndian(w[24..]),
            FirstChangedPage = BinaryPrimitives.ReadUInt16BigEndian(w[26..]),
            Unrecorded = BinaryPrimitives.ReadUInt16BigEndian(w[28..]),
            KeyFingerprint = BinaryPrimitives.ReadUInt64BigEndian(w[30..]),
        };
        reason = "";
        return true;
    }

    private static bool Fail(string why, out string reason)
    {
        reason = why;
        return false;
    }

    /// <summary>
    /// True when the signature is that of the public key (X ‖ Y: 64 bytes P-256 with SHA-256, 96 bytes P-384 with
    /// SHA-384) over the signed bytes. FIPS 186-5.
    /// </summary>
    public static bool IsSignedBy(ReadOnlySpan<byte> quote, int signedLength, ReadOnlySpan<byte> publicKey)
    {
        if (publicKey.Length is not (64 or 96) || quote.Length - signedLength != publicKey.Length) return false;
        var half = publicKey.Length / 2;
        try
        {
            using var key = ECDsa.Create(new ECParameters
            {
                Curve = half == 32 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384,
                Q = new ECPoint { X = publicKey[..half].ToArray(), Y = publicKey[half..].ToArray() },
            });
            return key.VerifyData(quote[..signedLength], quote[signedLength..],
                half == 32 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>First 8 bytes of the SHA-256 of a public key.</summary>
    public static ulong FingerprintOf(ReadOnlySpan<byte> publicKey) => Digest.Of(publicKey).Short;
}
