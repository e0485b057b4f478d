using System.Security.Cryptography;
using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Zeus;

public class FirmwareImageTests
{
    private static readonly FirmwareImage Image = Chips.Image(FirmwarePart.Application, 7, 3, bytes: 20_000);

    [Fact]
    public void AnImageGoesRound()
    {
        var bytes = Image.ToBytes();
        Assert.Equal(ImageFault.None, FirmwareImage.TryParse(bytes, out var read));
        Assert.Equal(Image.Header, read.Header);
        Assert.Equal(bytes, read.ToBytes());
        Assert.Equal(Image.Digest, read.Digest);
        Assert.Equal(4, read.Pages.Count);
        Assert.Equal(("ZX1", "Application-7", 7u, 3), (read.Header.Model, read.Header.Name, read.Header.Version,
            (int)read.Header.SecurityVersion));
    }

    [Fact]
    public void TheDigestIsTheHeadersAndDoesNotDependOnTheSignature()
    {
        Assert.Equal(Digest.Of(Image.Header.Encode()), Image.Digest);
        Assert.NotEqual(Image.Digest, Chips.Image(FirmwarePart.Application, 8, 3, bytes: 20_000).Digest);
        Assert.True(Chips.Maker.PublicKey.Verify(SHA256.HashData(Image.Header.Encode()), Image.Signature.Span));
    }

    [Fact]
    public void EveryTruncationAndEveryFlippedByteHasATypedAnswer()
    {
        var bytes = Image.ToBytes();
        for (var n = 0; n < bytes.Length; n += n < 400 ? 1 : 501)
            Assert.NotEqual(ImageFault.None, FirmwareImage.TryParse(bytes.AsSpan(0, n), out _));
        var signature = Image.Header.Encode().Length;
        for (var i = 0; i < bytes.Length; i += i < 400 ? 1 : 501)
        {
            var bent = bytes.ToArray();
            bent[i] ^= 0x41;
            var fault = FirmwareImage.TryParse(bent, out var read);
            // Text, numbers, key and signature may be other ones and still have the form.
            if (i >= signature && i < signature + 64) Assert.Equal(ImageFault.None, fault);
            else if (i >= signature + 64) Assert.Equal(ImageFault.WrongPage, fault);
            else if (fault == ImageFault.None) Assert.NotEqual(Image.Digest, read.Digest);
        }
    }

    [Fact]
    public void FaultsSayWhatIsWrong()
    {
        var bytes = Image.ToBytes();
        Assert.Equal(ImageFault.NotAnImage, FirmwareImage.TryParse([.. Enumerable.Repeat((byte)0xFF, 100)], out _));
        Assert.Equal(ImageFault.NewerFormat, FirmwareImage.TryParse([.. bytes[..4], 2, .. bytes[5..]], out _));
        Assert.Equal(ImageFault.DamagedHeader, FirmwareImage.TryParse([.. bytes[..5], 9, .. bytes[6..]], out _));
        Assert.Equal(ImageFault.WrongLength, FirmwareImage.TryParse([.. bytes, 0], out _));
    }

    [Fact]
    public void WhatCannotBeBuiltIsSaid()
    {
        Assert.Throws<ArgumentException>(() => Chips.Image(FirmwarePart.Calibration, 1));
        Assert.Throws<ArgumentException>(() => Chips.Image(FirmwarePart.Application, 1, bytes: 0));
        Assert.Throws<ArgumentException>(() => Chips.Image(FirmwarePart.Application, 1, model: new string('x', 33)));
    }
}
