using System.Collections.Concurrent;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// Signatures of images that were checked before: a fleet boots a few images thousands of times. The key of an answer
/// is the digest of all that it depends on (header with the signer's key, or algorithm, key and message, and the
/// signature), so it is never wrong, only absent. At <see cref="MaxAnswers"/> all are forgotten and checked again.
/// </summary>
public sealed class ImageSignatures
{
    public const int MaxAnswers = 1024;

    private readonly ConcurrentDictionary<Digest, bool> _answers = new();

    internal bool Verify(FirmwareHeader header, ReadOnlySpan<byte> signature)
    {
        var all = new ByteWriter(1024);
        all.Bytes(header.Encode());
        all.Bytes(signature);
        return TryFind(all, out var key, out var known) ? known
            : Remember(key, header.Signer.Verify(header.SignedDigest(), signature));
    }

    /// <summary>The same of a signature in a list, by a suite that knows its algorithm.</summary>
    internal SignatureAnswer Check(SignatureSuite suite, KnownKey key, byte[] message, ListedSignature signature)
    {
        var all = new ByteWriter(8_192);
        all.Byte((byte)signature.Algorithm);
        all.Blob(key.Key.Span);
        all.Blob(signature.Value.Span);
        all.Bytes(message);
        var isGood = TryFind(all, out var name, out var known) ? known
            : Remember(name, suite.Check(key, message, signature) == SignatureAnswer.Good);
        return isGood ? SignatureAnswer.Good : SignatureAnswer.Bad;
    }

    private bool TryFind(ByteWriter all, out Digest key, out bool known) =>
        _answers.TryGetValue(key = Digest.Of(all.Written), out known);

    private bool Remember(Digest key, bool answer)
    {
        if (_answers.Count >= MaxAnswers) _answers.Clear();
        return _answers[key] = answer;
    }
}
