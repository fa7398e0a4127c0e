"""Writes all ONNX files of models/ from the unpacked packages. Called by rebuild.sh."""
import argparse
import os

import from_tflite
import mtcnn


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="folder with pnet.pt, rnet.pt, onet.pt and the two .tflite files")
    parser.add_argument("out", help="folder for the ONNX files")
    given = parser.parse_args()
    os.makedirs(given.out, exist_ok=True)
    mtcnn.proposal(given.weights, f"{given.out}/mtcnn-pnet.onnx")
    mtcnn.refine(given.weights, f"{given.out}/mtcnn-rnet.onnx")
    mtcnn.output(given.weights, f"{given.out}/mtcnn-onet.onnx")
    from_tflite.mediapipe_face_short(f"{given.weights}/face_detection_short_range.tflite", f"{given.out}/mediapipe-face-short.onnx")
    from_tflite.mobilefacenet_192(f"{given.weights}/MobileFaceNet.tflite", f"{given.out}/mobilefacenet-192.onnx")


if __name__ == "__main__":
    main()
