using System.Collections.Concurrent;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// Signatures of images that were checked before: a fleet boots a few images thousands of times. The key of an answer
/// is the digest of all that it depends on (header with the signer's key, and signature), so it is never wrong, only
/// absent. At <see cref="MaxAnswers"/> all are forgotten and checked again.
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
        var key = Digest.Of(all.Written);
        if (_answers.TryGetValue(key, out var known)) return known;
        if (_answers.Count >= MaxAnswers) _answers.Clear();
        return _answers[key] = header.Signer.Verify(header.SignedDigest(), signature);
    }
}
