"""Each function puts one moment of one exercise on a stage: props, body and marks in order."""
